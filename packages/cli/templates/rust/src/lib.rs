//! Refuses one tool by its name.

use serde_json::Value;
use troupe_plugin::{Error, Plugin, export_plugin, kind};

fn plugin() -> Plugin {
    Plugin::new("__ID__", env!("CARGO_PKG_VERSION")).middleware(kind::TOOL_CONDITIONAL, "no-rm", 0, no_rm)
}

/// Answers nothing, or the reason why not.
fn no_rm(call: Value) -> Result<Option<String>, Error> {
    Ok((call["toolName"] == "rm").then(|| "rm isn't allowed here".to_string()))
}

export_plugin!(plugin);
