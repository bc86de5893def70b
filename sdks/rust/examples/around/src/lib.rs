//! Goes around calls: a tool's, whose rest it asks for once, twice or not at all, and a model's stream, which it makes louder.

use std::collections::BTreeMap;

use troupe_plugin::{Call, Error, Plugin, Raw, Value, export_plugin, kind};

/// An object whose members are passed on as they are: whatever crosses, nobody here reads it.
type Members = BTreeMap<String, Raw>;

fn twice(tool: Members, call: Call) -> Result<Members, Error> {
    let name: String = serde_json::from_str(tool["toolName"].get())?;
    if name == "none" {
        let result = serde_json::value::to_raw_value("not run")?;
        return Ok(Members::from([("result".into(), result)]));
    }
    let first: Members = call.next(&tool["args"])?;
    if name == "twice" { call.next(&first["result"]) } else { Ok(first) }
}

fn louder(model: Value, call: Call) -> Result<impl Iterator<Item = Result<String, Error>>, Error> {
    let chunks = call.next_stream::<String>(&model.get("request"))?;
    let louder = chunks.map(|chunk| Ok(format!("{}!", chunk?)));
    Ok(louder.chain(std::iter::once(Ok("the end".into()))))
}

/// As a library, and as a program of its own.
pub fn plugin() -> Plugin {
    Plugin::new("around", env!("CARGO_PKG_VERSION")).around(kind::TOOL_EXECUTION, "twice", 0, twice).stream(
        kind::LLM_STREAM,
        "louder",
        0,
        louder,
    )
}

export_plugin!(plugin);
