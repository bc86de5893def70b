//! A guardrail: refuses the tool "rm" by its answer, and "mv" by an error, which is a rejection as well. Its configuration may be missing or an object; anything else is refused.

use serde_json::Value;
use troupe_plugin::{Error, Plugin, export_plugin};

/// The relay's tool_conditional_execution_guardrail: it answers nothing, or the reason why not.
const TOOL_CONDITIONAL: u32 = 12;

/// As a library, and as a program of its own.
pub fn plugin() -> Plugin {
    Plugin::new("guardrail", env!("CARGO_PKG_VERSION")).configure(configure).middleware(
        TOOL_CONDITIONAL,
        "no-rm",
        0,
        no_rm,
    )
}

fn configure(config: &[u8]) -> Result<(), Error> {
    if config.is_empty() || matches!(serde_json::from_slice(config), Ok(Value::Object(_))) {
        return Ok(());
    }
    Err(Error::user("bad_config", "the configuration must be a JSON object"))
}

fn no_rm(call: Value) -> Result<Option<String>, Error> {
    if call["toolName"] == "mv" {
        return Err(Error::new("relay", "guardrail_rejected", "mv isn't allowed here"));
    }
    Ok((call["toolName"] == "rm").then(|| "rm isn't allowed here".to_string()))
}

export_plugin!(plugin);
