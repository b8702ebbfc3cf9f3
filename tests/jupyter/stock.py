"""evcxr's own kernel, `erm kernel --stock`, with the prelude at hand."""

import unittest

from kernel import Kernel


class Stock(unittest.TestCase):
    def test_cells_use_the_prelude_there_too(self):
        with Kernel(extra_arguments=["--stock"]) as kernel:
            kernel.ok("let total = erm::ndarray::arr1(&[1, 2, 3]).sum();")
            self.assertEqual(kernel.ok("total * 7").result(), "42")
            self.assertEqual(kernel.ok('println!("total {total}");').text(), "total 6\n")


if __name__ == "__main__":
    unittest.main()
