//! Panics wherever an author's code may: each is an error of that call alone.

use troupe_plugin::{Actor, Plugin, export_plugin};

const TOOL_CONDITIONAL: u32 = 12;

fn plugin() -> Plugin {
    Plugin::new("faulty", env!("CARGO_PKG_VERSION"))
        .actor(
            Actor::new("faulty")
                .action("panic", |_, (text,): (String,)| -> Result<(), _> { panic!("{text}") })
                .action("echo", |_, (text,): (String,)| Ok(text))
                .stop(|_| panic!("at the end")),
        )
        .actor(Actor::new("unborn").start(|_, _| panic!("at the start")))
        .middleware(TOOL_CONDITIONAL, "faulty", 0, |_: serde_json::Value| -> Result<(), _> {
            panic!("in the guardrail")
        })
}

export_plugin!(plugin);
