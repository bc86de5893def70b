//! Panics wherever an author's code may: each is an error of that call alone.

use troupe_plugin::{Actor, Deferred, Plugin, export_plugin};

const TOOL_CONDITIONAL: u32 = 12;

fn plugin() -> Plugin {
    Plugin::new("faulty", env!("CARGO_PKG_VERSION"))
        .actor(
            Actor::new("faulty")
                .action("panic", |_, (text,): (String,)| -> Result<(), _> { panic!("{text}") })
                .deferred("giveUp", |_, _: [(); 0]| Ok(|call: Deferred<()>| drop(call)))
                .deferred("panicLater", |_, _: [(); 0]| Ok(|_: Deferred<()>| panic!("later")))
                .action("swell", |c, _: [(); 0]| {
                    c.set_state("last", "swollen")?;
                    c.set_state("large", &"x".repeat(70 << 20))
                })
                .action("last", |c, _: [(); 0]| c.state::<String>("last"))
                .action("echo", |c, (text,): (String,)| {
                    c.set_state("last", &text)?;
                    Ok(text)
                })
                .stop(|_| panic!("at the end")),
        )
        .actor(Actor::new("unborn").start(|_, _| panic!("at the start")))
        .middleware(TOOL_CONDITIONAL, "faulty", 0, |_: serde_json::Value| -> Result<(), _> {
            panic!("in the guardrail")
        })
}

export_plugin!(plugin);
