//! How any value is the last line of a cell, at the price of one build.

use std::any;
use std::fmt::{self, Debug};
use std::io::Write;

use super::{Front, say};

/// Shows every value that has a `Debug` form when it is the last line of a cell.
///
/// evcxr first builds a cell with `.evcxr_display()` behind its last expression, and a second time,
/// with `{:?}`, where that method does not exist. With this trait in scope it always exists; a type's
/// own method of that name goes before it. The text is the one that evcxr would show, but `()` is
/// silent.
pub trait LastLine {
    /// Shows the value.
    #[doc(hidden)]
    fn evcxr_display(&self);
}

impl<T: Debug + ?Sized> LastLine for T {
    fn evcxr_display(&self) {
        // The name of the type is known without asking that a value outlives the cell, unlike its id.
        if any::type_name_of_val(self) == "()" {
            // What a loop printed belongs to this cell, even without an end of line. A closed pipe
            // has nobody to tell.
            let _ = std::io::stdout().flush();
        } else {
            show_debug(format_args!("{self:?}"));
        }
    }
}

/// Not generic, so that cells have little to compile.
fn show_debug(text: fmt::Arguments<'_>) {
    say(&debug_text(Front::of_this_process(), &text.to_string()));
}

fn debug_text(front: Front, text: &str) -> String {
    match front {
        Front::Lines | Front::Evcxr => {
            format!("EVCXR_BEGIN_CONTENT text/plain\n{text}\nEVCXR_END_CONTENT\n")
        }
        Front::Terminal | Front::Pipe => format!("{text}\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Chart;

    /// Calls the method as evcxr writes it down.
    macro_rules! last_line {
        ($value:expr) => {
            ($value).evcxr_display()
        };
    }

    #[test]
    #[allow(clippy::unit_arg)]
    fn every_kind_of_expression_has_the_method() {
        let borrowed = String::from("text");
        last_line!(6 * 7);
        last_line!(borrowed.as_str());
        last_line!(*borrowed.as_str());
        last_line!([1.5, 2.5].iter().map(|x| x * 2.0).collect::<Vec<f64>>());
        last_line!(Some(&borrowed));
        last_line!(for _ in 0..2 {});
        assert_eq!(borrowed, "text", "it is still here");
    }

    #[test]
    fn the_text_is_that_of_evcxr() {
        let text = format!("{:?}", Some("a\n"));
        assert_eq!(
            debug_text(Front::Evcxr, &text),
            "EVCXR_BEGIN_CONTENT text/plain\nSome(\"a\\n\")\nEVCXR_END_CONTENT\n"
        );
        assert_eq!(debug_text(Front::Pipe, "42"), "42\n");
    }

    #[test]
    fn a_method_of_the_type_itself_goes_first() {
        struct Own(std::cell::Cell<usize>);
        impl Debug for Own {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("its own method goes first")
            }
        }
        impl Own {
            fn evcxr_display(&self) {
                self.0.set(self.0.get() + 1);
            }
        }
        let own = Own(std::cell::Cell::new(0));
        last_line!(own);
        last_line!(&own);
        assert_eq!(own.0.get(), 2);
        let _: fn(&Chart) = Chart::evcxr_display;
    }
}
