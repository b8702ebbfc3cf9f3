"""Jupyter's own tests for kernels. No attribute is left empty, since that would skip a test."""

import time
import unittest

import jupyter_kernel_test as jkt

SHOW = 'println!("EVCXR_BEGIN_CONTENT {mime}\\n{text}\\nEVCXR_END_CONTENT");'


class Suite(jkt.KernelTests):
    kernel_name = "erm"
    language_name = "rust"
    file_extension = ".rs"
    code_hello_world = 'println!("hello, world");'
    code_stderr = 'eprintln!("a word of warning");'
    completion_samples = [
        {"text": "let zebra_crossing = 1; zebra_cro", "matches": {"zebra_crossing"}},
        {"text": "judge::accura", "matches": {"accuracy"}},
    ]
    complete_code_samples = ["1", "let x = 5;", "fn f() -> i32 {\n    2\n}", "// a comment"]
    incomplete_code_samples = ["fn f() {", 'let s = "abc', "vec![1,", "let x = 1 +"]
    invalid_code_samples = ["let = 7q;", "fn f() }"]
    code_page_something = "?Pgd"
    code_generate_error = 'panic!("on purpose")'
    code_execute_result = [
        {"code": "6*7", "result": "42"},
        {"code": '"six times seven"', "result": '"six times seven"'},
        {"code": SHOW.format(mime="text/html", text="<b>6</b>") + " 7", "result": "7"},
    ]
    code_display_data = [
        {"code": SHOW.format(mime="text/html", text="<b>bold</b>"), "mime": "text/html"},
        {"code": SHOW.format(mime="image/png", text="aGk="), "mime": "image/png"},
    ]
    code_history_pattern = "6?7*"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Pgd"
    code_clear_output = "erm::show::clear_output();"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The tests wait 15 s for an answer, and a busy machine may need longer to start. A kernel
        # that still reads the sources completes nothing, so as to answer within a second.
        cls.kc.execute_interactive("let ready = true;", timeout=300, output_hook=lambda _: None)
        until = time.time() + 300
        while time.time() < until and not cls.kc.complete("rea", reply=True)["content"]["matches"]:
            time.sleep(0.5)


class Welcome(jkt.IopubWelcomeTests):
    kernel_name = "erm"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main()
