//! A tally: marks in a database, and how often it was asked in its state. It never waits, so it runs in WebAssembly as well.

use serde_json::{Value, json};
use troupe_plugin::{Actor, Plugin, Turn, export_plugin};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS marks (id INTEGER PRIMARY KEY, what TEXT)";

fn plugin() -> Plugin {
    Plugin::new("tally", env!("CARGO_PKG_VERSION")).actor(
        Actor::new("tally")
            .database()
            .event("marked")
            .asking("mark", |c, (what,): (String,)| {
                let asked = c.state::<i64>("asked")?.unwrap_or(0) + 1;
                c.set_state("asked", &asked)?;
                Turn::exec(TABLE, (), |_, _| {
                    Turn::exec("INSERT INTO marks (what) VALUES (?)", (what.clone(),), move |c, changes| {
                        c.broadcast("marked", &(what,))?;
                        Ok(Turn::done(changes.last_insert_row_id))
                    })
                })
            })
            .asking("marks", |c, _: [(); 0]| {
                let asked = c.state::<i64>("asked")?;
                Turn::query("SELECT id, what FROM marks ORDER BY id", (), move |_, marks: Vec<Value>| {
                    Ok(Turn::done(json!({ "asked": asked, "marks": marks })))
                })
            })
            .asking("wrong", |_, _: [(); 0]| Turn::exec("NO SQL", (), |_, _| Ok(Turn::done(0)))),
    )
}

export_plugin!(plugin);
