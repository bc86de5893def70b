//! A tally: marks in a database, and how often it was asked in its state. It never waits, so it runs in WebAssembly as well.

use serde_json::{Value, json};
use troupe_plugin::{Actor, Error, Plugin, Turn, export_plugin};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS marks (id INTEGER PRIMARY KEY, what TEXT)";

async fn mark(c: Turn, (what,): (String,)) -> Result<i64, Error> {
    c.with(|c| {
        let asked = c.state::<i64>("asked")?.unwrap_or(0) + 1;
        c.set_state("asked", &asked)
    })?;
    c.exec(TABLE, ()).await?;
    let changes = c.exec("INSERT INTO marks (what) VALUES (?)", (&what,)).await?;
    c.with(|c| c.broadcast("marked", &(what,)))?;
    Ok(changes.last_insert_row_id)
}

async fn marks(c: Turn, _: [(); 0]) -> Result<Value, Error> {
    let marks = c.query::<Value>("SELECT id, what FROM marks ORDER BY id", ()).await?;
    let asked = c.with(|c| c.state::<i64>("asked"))?;
    Ok(json!({ "asked": asked, "marks": marks }))
}

async fn wrong(c: Turn, _: [(); 0]) -> Result<(), Error> {
    c.exec("NO SQL", ()).await.map(drop)
}

fn plugin() -> Plugin {
    Plugin::new("tally", env!("CARGO_PKG_VERSION")).actor(
        Actor::new("tally")
            .database()
            .event("marked")
            .asking("mark", mark)
            .asking("marks", marks)
            .asking("wrong", wrong),
    )
}

export_plugin!(plugin);
