//! A counter, a guardrail and an exporter: one of each that a plugin may bring.

use serde_json::Value;
use troupe_plugin::{Actor, Call, Context, Error, Level, Plugin, export_plugin, kind};

fn plugin() -> Plugin {
    Plugin::new("__ID__", env!("CARGO_PKG_VERSION"))
        .configure(configure)
        .actor(counter())
        .middleware(kind::TOOL_CONDITIONAL, "no-rm", 0, no_rm)
        .around(kind::SUBSCRIBER, "lines", 0, lines)
}

/// State that survives, an event for who listens, and an error that its caller can read.
fn counter() -> Actor {
    Actor::new("counter")
        .event("changed")
        .action("get", |c, _: [(); 0]| Ok(c.state::<i64>("count")?.unwrap_or(0)))
        .action("increment", increment)
}

fn increment(c: &mut Context, args: Vec<Value>) -> Result<i64, Error> {
    let by = args.first().and_then(Value::as_i64);
    let count = c.state::<i64>("count")?.unwrap_or(0);
    let Some(count) = by.and_then(|by| count.checked_add(by)) else {
        return Err(Error::user("not_a_number", "increment takes an integer"));
    };
    c.set_state("count", &count)?;
    c.broadcast("changed", &(count,))?;
    Ok(count)
}

/// Answers nothing, or the reason why not; an error is a rejection as well.
fn no_rm(call: Value) -> Result<Option<String>, Error> {
    if call["toolName"] == "mv" {
        return Err(Error::new("relay", "guardrail_rejected", "mv isn't allowed here"));
    }
    Ok((call["toolName"] == "rm").then(|| "rm isn't allowed here".to_string()))
}

/// Hears every event of the host's relay, and writes a line for each call that has ended.
fn lines(event: Value, call: Call) -> Result<(), Error> {
    if let ("end", Some(name)) = (event["scope_category"].as_str().unwrap_or(""), event["name"].as_str()) {
        call.host().log(Level::Info, &format!("ended: {name}"));
    }
    Ok(())
}

/// The configuration is JSON text, or nothing.
fn configure(config: &[u8]) -> Result<(), Error> {
    if config.is_empty() || matches!(serde_json::from_slice(config), Ok(Value::Object(_))) {
        return Ok(());
    }
    Err(Error::user("bad_config", "the configuration must be a JSON object"))
}

export_plugin!(plugin);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{configure, no_rm};

    #[test]
    fn the_guardrail_refuses_by_name() {
        assert_eq!(no_rm(json!({ "toolName": "ls" })), Ok(None));
        assert!(matches!(no_rm(json!({ "toolName": "rm" })), Ok(Some(_))));
        assert!(no_rm(json!({ "toolName": "mv" })).is_err());
    }

    #[test]
    fn a_configuration_is_an_object() {
        assert!(configure(b"{}").is_ok());
        assert!(configure(b"[]").is_err());
    }
}
