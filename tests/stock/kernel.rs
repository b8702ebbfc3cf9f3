//! evcxr's own Jupyter kernel as it is published, for the test that the notebooks run in it.

fn main() -> anyhow::Result<()> {
    evcxr_jupyter::main()
}
