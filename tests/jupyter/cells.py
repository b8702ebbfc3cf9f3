"""What a cell gives its client, and what the kernel answers beside cells."""

import pathlib
import subprocess
import time
import unittest

from kernel import Kernel

SYSROOT = subprocess.run(["rustc", "--print", "sysroot"], capture_output=True, text=True, check=True).stdout.strip()
LIBRARY = pathlib.Path(SYSROOT) / "lib/rustlib/src/rust/library"


def escape(json):
    """A line of Rust that tells the kernel something, as the prelude does."""
    return f'println!("\\u{{1e}}{{}}", r#"{json}"#);'


class OneKernel(unittest.TestCase):
    """Tests that share one kernel, since a start takes seconds."""

    @classmethod
    def setUpClass(cls):
        cls.kernel = Kernel()
        cls.kernel.ok("let ready = true;")

    @classmethod
    def tearDownClass(cls):
        cls.kernel.end()

    def setUp(self):
        self.kernel.drain()


class Outputs(OneKernel):
    def test_text_comes_as_it_was_written(self):
        code = r"""
        for percent in [10, 50, 100] {
            print!("\r{percent} %");
            std::io::Write::flush(&mut std::io::stdout())?;
        }
        println!();
        print!("no end");
        std::io::Write::flush(&mut std::io::stdout())?;
        """
        self.assertEqual(self.kernel.ok(code).text(), "\r10 %\r50 %\r100 %\nno end")

    def test_a_part_of_a_line_comes_while_the_cell_runs(self):
        code = r"""
        print!("half");
        std::io::Write::flush(&mut std::io::stdout())?;
        std::thread::sleep(std::time::Duration::from_secs(2));
        println!(" and half");
        """
        request = self.kernel.send(code)
        self.kernel.wait_for(request, "stream", lambda content: content["text"] == "half")
        self.assertEqual(self.kernel.finish(request).text(), " and half\n")

    def test_lines_that_come_together_are_one_message(self):
        ran = self.kernel.ok('for i in 0..5000 { println!("{i}"); }')
        self.assertEqual(ran.text(), "".join(f"{i}\n" for i in range(5000)))
        self.assertLess(len(ran.of("stream")), 500)

    def test_twenty_megabytes_arrive_whole(self):
        code = 'let line = "x".repeat(99_999); for _ in 0..200 { println!("{line}"); }'
        text = self.kernel.ok(code).text()
        self.assertEqual(len(text), 20_000_000)
        self.assertEqual(set(text), {"x", "\n"})

    def test_only_the_value_at_the_end_is_the_result(self):
        ran = self.kernel.ok('erm::show::display(&erm::show::html("<b>1</b>")); 6 * 7')
        self.assertEqual(ran.kinds(), ["display_data", "execute_result"])
        self.assertEqual(ran.result(), "42")
        self.assertEqual(ran.of("execute_result")[0]["execution_count"], ran.reply["execution_count"])
        ran = self.kernel.ok('erm::show::display(&erm::show::html("<b>1</b>"));')
        self.assertEqual(ran.kinds(), ["display_data"])
        self.assertEqual(self.kernel.ok("let nothing = 1;").kinds(), [])

    def test_a_display_can_be_updated_in_a_later_cell(self):
        shown = self.kernel.ok('let shown = erm::show::display(&erm::show::html("<b>1</b>"));')
        name = shown.of("display_data")[0]["transient"]["display_id"]
        ran = self.kernel.ok('shown.update(&erm::show::html("<b>2</b>"));')
        update = ran.of("update_display_data")[0]
        self.assertEqual(update["transient"]["display_id"], name)
        self.assertEqual(update["data"]["text/html"], "<b>2</b>")

    def test_outputs_can_be_cleared(self):
        code = "erm::show::clear_output(); erm::show::clear_output_with_next();"
        self.assertEqual(self.kernel.ok(code).of("clear_output"), [{"wait": False}, {"wait": True}])

    def test_a_live_picture_is_replaced_and_taken_away(self):
        draw = '{"live":{"data":{"text/plain":"PICTURE"},"id":"curve"}}'
        gone = '{"live":{"data":{},"id":"curve"}}'
        cell = [escape(draw.replace("PICTURE", name)) for name in ("one", "two")]
        ran = self.kernel.ok("".join([*cell, escape(gone)]))
        self.assertEqual(ran.kinds(), ["display_data", *["update_display_data"] * 2])
        data = [content["data"] for content in ran.of("display_data") + ran.of("update_display_data")]
        self.assertEqual(data, [{"text/plain": "one"}, {"text/plain": "two"}, {}])
        ids = {m["content"]["transient"]["display_id"] for m in ran.messages if "transient" in m["content"]}
        self.assertEqual(len(ids), 1)
        # What a cell leaves is taken away with its end.
        left = self.kernel.ok(cell[0]).of("update_display_data")
        self.assertEqual([content["data"] for content in left], [{}])

    def test_progress_is_one_bar_in_place_that_is_taken_away(self):
        code = """
        erm::show::stage("thinking");
        let bar = erm::show::Progress::start("counting", "sheep", 100);
        for _ in 0..10 {
            bar.advance(10);
            std::thread::sleep(std::time::Duration::from_millis(300));
        }
        drop(bar);
        """
        ran = self.kernel.ok(code)
        self.assertEqual(ran.kinds()[0], "display_data")
        self.assertEqual(set(ran.kinds()[1:]), {"update_display_data"})
        texts = [content["data"].get("text/plain", "") for content in ran.of("update_display_data")]
        self.assertTrue(any("counting" in text and "left" in text for text in texts), texts)
        self.assertEqual(ran.of("update_display_data")[-1]["data"], {})


class Requests(OneKernel):
    def test_counts_go_up_for_what_is_stored(self):
        first = self.kernel.ok("1").reply["execution_count"]
        self.assertEqual(self.kernel.ok("1", silent=True).reply["execution_count"], first)
        self.assertEqual(self.kernel.ok("1", store_history=False).reply["execution_count"], first)
        self.assertEqual(self.kernel.ok(" ").reply["execution_count"], first)
        failed = self.kernel.run("panic!()")
        self.assertEqual(failed.reply["execution_count"], first + 1)
        self.assertEqual(self.kernel.ok("1").of("execute_input")[0]["execution_count"], first + 2)

    def test_a_silent_cell_publishes_nothing(self):
        ran = self.kernel.ok('println!("hush"); let silently = 3; 4', silent=True)
        self.assertEqual([m["msg_type"] for m in ran.messages], ["status", "status"])
        self.assertEqual(self.kernel.ok("silently").result(), "3")

    def test_what_is_not_stored_is_not_remembered(self):
        self.kernel.ok("1001", store_history=False)
        self.kernel.ok("1002")
        reply, _ = self.kernel.ask("history_request", hist_access_type="search", pattern="100?")
        self.assertEqual([entry[2] for entry in reply["history"]][-1], "1002")
        self.assertNotIn("1001", [entry[2] for entry in reply["history"]])

    def test_user_expressions_are_evaluated_after_the_cell(self):
        wanted = {"sum": "base + 1", "wrong": "nowhere"}
        ran = self.kernel.ok("let base = 41;", user_expressions=wanted)
        found = ran.reply["user_expressions"]
        self.assertEqual(found["sum"], {"status": "ok", "data": {"text/plain": "42"}, "metadata": {}})
        self.assertEqual(found["wrong"]["status"], "error")
        self.assertIn("nowhere", found["wrong"]["evalue"])
        self.assertEqual(ran.kinds(), [])

    def test_a_failure_takes_the_waiting_cells_with_it(self):
        requests = [self.kernel.send(code) for code in ("let a = 1;", 'panic!("stop")', "a", "a")]
        replies = [self.kernel.reply(request)["status"] for request in requests]
        self.assertEqual(replies, ["ok", "error", "aborted", "aborted"])
        # The next one runs, also right after the failure was known.
        self.assertEqual(self.kernel.ok("a").result(), "1")
        requests = [self.kernel.send("panic!()", stop_on_error=False), self.kernel.send("a")]
        replies = [self.kernel.reply(request)["status"] for request in requests]
        self.assertEqual(replies, ["error", "ok"])

    def test_an_error_is_told_once_and_in_the_same_words(self):
        for code in ('panic!("first\\nsecond")', "let x: u8 = true;", 'std::fs::read("nowhere")?;', "let x = ;"):
            ran = self.kernel.run(code)
            self.assertEqual(ran.kinds(), ["error"], code)
            told = {name: ran.reply[name] for name in ("ename", "evalue", "traceback")}
            self.assertEqual(ran.of("error")[0], told)
            self.assertTrue(told["evalue"] and told["traceback"], told)

    def test_places_are_counted_in_code_points(self):
        self.kernel.ok("struct Größe { length: u32 }\nlet größe = Größe { length: 3 };")
        code = 'let text = "ßüé"; größe.le'
        reply = self.completed(code, "length")
        self.assertEqual((reply["cursor_start"], reply["cursor_end"]), (len(code) - 2, len(code)))
        kinds = reply["metadata"]["_jupyter_types_experimental"]
        self.assertIn("length", [kind["text"] for kind in kinds])

    def completed(self, code, expected):
        """The reply that completes the end of the code, once the kernel has read its sources."""
        until = time.time() + 60
        while True:
            reply, seconds = self.kernel.ask("complete_request", code=code, cursor_pos=len(code))
            self.assertLess(seconds, 1.5)
            if expected in reply["matches"] or time.time() > until:
                self.assertIn(expected, reply["matches"])
                return reply

    def test_names_of_every_kind_are_completed(self):
        self.kernel.ok("struct Sketch { strokes: u32 }\nfn sketch() -> Sketch { Sketch { strokes: 3 } }\nlet mine = sketch();")
        for code, expected in (
            ("mine.str", "strokes"),
            ("let other = ske", "sketch"),
            ("judge::acc", "accuracy"),
            ("let twice = 2; twi", "twice"),
            ("erm::ndarray::Arr", "Array4"),
            (":ve", ":version"),
        ):
            reply = self.completed(code, expected)
            self.assertFalse([name for name in reply["matches"] if "vcxr" in name])

    @unittest.skipUnless(LIBRARY.is_dir(), "the standard library's sources (rust-src) are not installed")
    def test_methods_of_the_standard_library_are_completed(self):
        self.completed("let v = vec![1]; v.iter().ma", "map")

    def test_a_crate_that_cannot_be_had_leaves_everything_as_it_was(self):
        self.kernel.ok("let before = 3;")
        files = [folder / name for folder in self.kernel.work_folders() for name in ("Cargo.toml", "Cargo.lock")]
        texts = [file.read_text() for file in files]
        for code, word in (
            (':dep rand = "77"', "77"),
            (":dep two words", "names no crate"),
            (":dep ./nowhere", "nowhere"),
        ):
            ran = self.kernel.run(f"{code}\nlet after = 4;")
            self.assertEqual(ran.reply["ename"], "error", code)
            self.assertIn(word, ran.reply["evalue"])
            self.assertEqual([file.read_text() for file in files], texts)
        self.assertEqual(self.kernel.ok("before + 1").result(), "4")
        self.assertEqual(self.kernel.ok(':dep itoa = "1"\nitoa::Buffer::new().format(before).to_owned()').result(), '"3"')

    def test_a_lone_name_with_a_question_mark_gives_a_page(self):
        for code in ("?ready", "ready?", ":doc ready"):
            page = self.kernel.ok(code).reply["payload"][0]
            self.assertEqual(page["source"], "page")
            self.assertIn("bool", page["data"]["text/plain"])
        page = self.kernel.ok("?nothing_of_this_name").reply["payload"][0]
        self.assertIn("Nothing is known", page["data"]["text/plain"])
        self.kernel.ok('let outcome: Result<i32, std::fmt::Error> = Ok(8);')
        self.assertEqual(self.kernel.ok("outcome?").result(), "8")

    def test_all_else_is_answered_while_a_cell_runs(self):
        self.completed("rea", "ready")
        request = self.kernel.send("std::thread::sleep(std::time::Duration::from_secs(4));")
        self.kernel.wait_for(request, "execute_input")
        asked = {
            "kernel_info_request": {},
            "is_complete_request": {"code": "fn f() {"},
            "history_request": {"hist_access_type": "tail", "n": 1},
            "comm_info_request": {},
            "complete_request": {"code": "rea", "cursor_pos": 3},
            "inspect_request": {"code": "ready", "cursor_pos": 5},
        }
        replies = {kind: self.kernel.ask(kind, timeout=5, **content) for kind, content in asked.items()}
        for kind, (_, seconds) in replies.items():
            self.assertLess(seconds, 1.5, kind)
        self.assertEqual(replies["is_complete_request"][0], {"status": "incomplete", "indent": "    "})
        self.assertEqual(replies["comm_info_request"][0], {"status": "ok", "comms": {}})
        self.assertEqual(replies["complete_request"][0]["matches"], ["ready"])
        self.assertIn("ready: bool", replies["inspect_request"][0]["data"]["text/plain"])
        # The last status that a front end sees is that of the running cell.
        self.kernel.wait_for(request, "status", lambda content: content["execution_state"] == "busy")
        self.assertEqual(self.kernel.finish(request).status, "ok")

    def test_comms_of_unknown_targets_are_closed(self):
        session, socket = self.kernel.client.session, self.kernel.client.shell_channel.socket
        for kind in ("comm_open", "comm_msg"):
            content = {"comm_id": "c-1", "target_name": "jupyter.widget", "data": {}}
            sent = session.send(socket, kind, content, buffers=[b"\x00\xff" * 1000])
            closed = self.kernel.wait_for(sent["header"]["msg_id"], "comm_close")
            self.assertEqual(closed["comm_id"], "c-1")

    def test_what_cannot_be_understood_does_no_harm(self):
        client = self.kernel.client
        key, client.session.key = client.session.key, b"another key"
        client.session.send(client.shell_channel.socket, "execute_request", {"code": "1"})
        client.session.key = key
        for frames in ([b"<IDS|MSG>"], [b"no", b"delimiter"], [b"<IDS|MSG>", b"xyz", *[b"{"] * 4]):
            client.shell_channel.socket.send_multipart(frames)
            client.control_channel.socket.send_multipart(frames)
            client.stdin_channel.socket.send_multipart(frames)
        self.assertEqual(self.kernel.ask("execute_request", code=5)[0]["status"], "error")
        self.assertEqual(self.kernel.ask("dance_request")[0]["ename"], "unknown request")
        self.assertEqual(self.kernel.ok("2 + 2").result(), "4")


class Questions(OneKernel):
    def test_a_cell_asks_its_user(self):
        request = self.kernel.send(
            'let name = erm::show::input("Your name: ")?; let word = erm::show::password("Word: ")?; '
            'format!("{name}/{word}")'
        )
        ran = self.kernel.finish(request, ["Ada: Löwe", "secret"])
        asked = [(question["prompt"], question["password"]) for question in ran.asked]
        self.assertEqual(asked, [("Your name: ", False), ("Word: ", True)])
        self.assertEqual(ran.result(), '"Ada: Löwe/secret"')

    def test_standard_input_asks_too(self):
        code = "let mut line = String::new(); std::io::stdin().read_line(&mut line)?; line"
        ran = self.kernel.finish(self.kernel.send(code), ["forty-two"])
        self.assertEqual(len(ran.asked), 1)
        self.assertEqual(ran.result(), '"forty-two\\n"')

    def test_nobody_is_asked_who_cannot_answer(self):
        ran = self.kernel.run('erm::show::input("?").is_ok()', allow_stdin=False)
        self.assertEqual((ran.status, ran.result(), ran.asked), ("ok", "false", []))

    def test_an_interrupt_ends_the_wait_for_an_answer(self):
        request = self.kernel.send('let kept = 5; erm::show::input("?")?;')
        self.kernel.wait_until(self.kernel.client.stdin_channel.msg_ready)
        self.kernel.client.get_stdin_msg(timeout=1)
        self.assertLess(self.kernel.interrupt(), 1)
        ran = self.kernel.finish(request)
        self.assertEqual(ran.status, "error")
        # An answer that comes too late is not taken for that to another question.
        self.kernel.client.input("too late")
        request = self.kernel.send('erm::show::input("again")?')
        self.assertEqual(self.kernel.finish(request, ["now"]).result(), '"now"')


if __name__ == "__main__":
    unittest.main()
