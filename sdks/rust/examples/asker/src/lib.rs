//! Asks its host for what the tool's name says: marks, metrics, scopes, codecs, registrations, gates.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use troupe_plugin::{Call, Error, Host, HostScope, Level, Plugin, export_plugin, kind};

/// The scope that a call left open.
static LEFT: Mutex<Option<HostScope>> = Mutex::new(None);
static WHOLLY: Mutex<Option<Host>> = Mutex::new(None);

fn scope(host: &Host) -> Result<Value, Error> {
    let scope = host.push_scope("inner", "function", json!({ "input": "in", "metadata": { "a": 1 } }))?;
    host.within(&scope).mark("within", ())?;
    host.pop_scope(&scope, json!({ "output": "out" }))?;
    propagation(scope.propagation.as_deref())
}

fn fork(host: &Host) -> Result<Value, Error> {
    let scope = host.push_scope("outer", "function", ())?;
    let (beside, alone) = (host.fork_scope(Some(&scope))?, host.fork_scope(None)?);
    host.within(&beside).mark("beside", ())?;
    host.within(&alone).mark("alone", ())?;
    host.drop_scope(&beside)?;
    host.drop_scope(&alone)?;
    host.pop_scope(&scope, ())?;
    let said = |scope: &HostScope| propagation(scope.propagation.as_deref());
    Ok(json!({ "of": said(&scope)?, "fork": said(&beside)?, "alone": said(&alone)? }))
}

fn propagation(said: Option<&str>) -> Result<Value, Error> {
    let said: Value = serde_json::from_str(said.filter(|said| !said.is_empty()).unwrap_or("null"))?;
    if said.is_null() {
        return Ok(Value::Null);
    }
    Ok(json!({ "version": 1, "rootUuid": said["root_uuid"], "parentUuid": said["parent_uuid"] }))
}

fn events(question: &str, host: &Host, args: &Value) -> Result<Value, Error> {
    match question {
        "mark" => {
            host.mark("seen", json!({ "data": { "n": 1 }, "severity": "warn", "metadata": { "a": "b" } }))?
        }
        "metric" => {
            let size = json!([{ "name": "bytes", "kind": "gauge", "valueType": "u64", "value": args }]);
            host.metric("size", size, ())?;
        }
        "scope" => return scope(host),
        "failed" => {
            let scope = host.push_scope("failed", "function", ())?;
            host.pop_failed_scope(&scope, &Error::user("too_far", "too far"))?;
        }
        "leave" => *lock(&LEFT) = Some(host.push_scope("left", "function", ())?),
        "popLeft" => {
            let left = lock(&LEFT).clone();
            left.map_or(Ok(()), |left| host.pop_scope(&left, ()))?;
        }
        "fork" => return fork(host),
        "foreign" => {
            let id = args.as_str().unwrap_or_default().into();
            host.pop_scope(&HostScope { id, propagation: None }, ())?;
        }
        "under" => {
            let id = args.as_str().unwrap_or_default().into();
            host.within(&HostScope { id, propagation: None }).mark("under", ())?;
        }
        _ => loop {
            host.push_scope("one more", "function", ())?;
        },
    }
    Ok(Value::Null)
}

fn others(question: &str, host: &Host, args: &Value) -> Result<Value, Error> {
    match question {
        "codec" => {
            let mut annotated: Value = host.decode_request(args, None)?;
            annotated["model"] = "other".into();
            return host.encode_request(&annotated, args, None);
        }
        "unreadable" => return host.decode_response(&"odd", Some("openai_chat")),
        "registrations" => return host.list_registrations(&["subscriber"]).map(Value::Array),
        "diagnostics" => return host.diagnostics(),
        "closeGate" => {
            let name = args.as_str().unwrap_or_default();
            host.close_gate("g", &["tool_request_intercept"], name, "not now")?;
        }
        "openGate" => host.open_gate("g")?,
        "log" => host.log(Level::Warn, "a word"),
        "wholly" => lock(&WHOLLY).clone().map_or(Ok(()), |host| host.mark("wholly", ()))?,
        _ => return Err(Error::user("unknown", question)),
    }
    Ok(Value::Null)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ask(tool: Value, call: Call) -> Result<Value, Error> {
    let question = tool["toolName"].as_str().unwrap_or_default();
    let host = call.host();
    let result = match question {
        "scoped" => propagation(Some(call.scope()))?,
        "mark" | "metric" | "scope" | "failed" | "leave" | "popLeft" | "fork" | "foreign" | "under"
        | "flood" => events(question, &host, &tool["args"])?,
        _ => others(question, &host, &tool["args"])?,
    };
    Ok(json!({ "result": result }))
}

/// As a library, and as a program of its own.
pub fn plugin() -> Plugin {
    Plugin::new("asker", env!("CARGO_PKG_VERSION"))
        .ready(|host| {
            *lock(&WHOLLY) = Some(host.clone());
            host.mark("ready", ())
        })
        .around(kind::TOOL_EXECUTION, "asker", 0, ask)
}

export_plugin!(plugin);
