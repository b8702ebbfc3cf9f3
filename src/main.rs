mod session;

fn main() -> anyhow::Result<()> {
    session::relay::install()?;
    evcxr::runtime_hook();
    let t = std::time::Instant::now();
    let here = std::env::current_dir()?;
    let mut s = session::Session::start(
        &session::Surroundings { folder: &here, variables: &[] },
        &mut |w| eprintln!("{w:?}"),
    )?;
    eprintln!("started {:?}", t.elapsed());
    let mut cell = String::new();
    for line in std::io::stdin().lines() {
        let line = line?;
        if line != "%%" {
            cell += &line;
            cell.push('\n');
            continue;
        }
        let t = std::time::Instant::now();
        eprintln!("> {}", cell.trim());
        match s.run(&cell, &mut |o| eprintln!("   {o:?}")) {
            Ok(()) => eprintln!("   ok {:?}", t.elapsed()),
            Err(e) => eprintln!("   {} {:?}", e.text(), t.elapsed()),
        }
        cell.clear();
    }
    Ok(())
}
