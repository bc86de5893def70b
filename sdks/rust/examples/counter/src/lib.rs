//! A counter: state that survives, an event for who listens, and an error that its caller can read.

use serde_json::Value;
use troupe_plugin::{Actor, Error, Plugin, export_plugin};

fn plugin() -> Plugin {
    Plugin::new("counter", env!("CARGO_PKG_VERSION")).actor(
        Actor::new("counter")
            .event("changed")
            .start(|c, is_new| if is_new { c.set_state("count", &0) } else { Ok(()) })
            .action("get", |c, _: [(); 0]| c.state::<i64>("count"))
            .action("increment", |c, (by,): (Value,)| {
                let by =
                    by.as_i64().ok_or_else(|| Error::user("not_a_number", "increment takes an integer"))?;
                let count = c.state::<i64>("count")?.unwrap_or(0) + by;
                c.set_state("count", &count)?;
                c.broadcast("changed", &(count,))?;
                Ok(count)
            }),
    )
}

export_plugin!(plugin);
