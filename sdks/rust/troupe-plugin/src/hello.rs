//! The first words: what the plugin declares, or why it can't run.

use crate::actor::Actor;
use crate::error::Error;
use crate::guarded::guarded;
use crate::plugin::Plugin;
use crate::wire::{Reader, Writer};

const VERSION: u64 = 1;
const ENCODING_JSON: u64 = 2;

/// Ready, or the error of Failed; `None`: this isn't a Hello.
pub fn answer(plugin: &Plugin, hello: Reader) -> Option<Result<Writer, Error>> {
    let mut speaks = false;
    let mut config: &[u8] = &[];
    for field in hello.fields()? {
        match field.number {
            1 => speaks |= field.value == VERSION || field.message().varints()?.contains(&VERSION),
            3 => config = field.bytes,
            _ => {}
        }
    }
    if !speaks {
        let why = "this plugin speaks version 1 of plugin/v1";
        return Some(Err(Error::new("plugin", "version_unsupported", why)));
    }
    let liked = plugin.configure.as_ref().map_or(Ok(()), |configure| guarded(|| configure(config)));
    Some(liked.map(|()| declarations(plugin)))
}

fn declarations(plugin: &Plugin) -> Writer {
    let middleware = plugin.middleware.iter().map(|one| {
        // sint32: the sign is the lowest bit.
        let priority = (one.priority << 1 ^ one.priority >> 31) as u32;
        Writer::default().number(1, one.kind.into()).text(2, &one.name).number(3, priority.into())
    });
    Writer::default()
        .number(1, VERSION)
        .number(2, ENCODING_JSON)
        .text(3, &plugin.name)
        .text(4, &plugin.version)
        .messages(5, plugin.actors.iter().map(declared))
        .messages(6, middleware)
}

fn declared(actor: &Actor) -> Writer {
    let mut declared = Writer::default().text(1, &actor.name);
    for (name, _) in &actor.actions {
        declared = declared.text(2, name);
    }
    for name in &actor.events {
        declared = declared.text(3, name);
    }
    // 8: StartRows are read.
    let declared = declared.bytes(4, &actor.options).number(5, actor.connections.any().into());
    let declared = declared.number(6, actor.sockets.is_some().into()).number(7, actor.database.into());
    let mut declared = declared.number(8, 1);
    for (name, _) in &actor.queues {
        declared = declared.text(9, name);
    }
    if actor.connections.can_subscribe.is_some() {
        for name in &actor.events {
            declared = declared.text(10, name);
        }
    }
    // 13 and 15: the host keeps its queues and schedules, and clients that stay while it sleeps.
    declared = declared.number(13, 1).number(15, 1);
    for (name, _) in actor.queues.iter().filter(|(_, consume)| consume.is_some()) {
        declared = declared.text(16, name);
    }
    let deliveries = actor.deliveries.iter().map(|(queue, policy)| policy.write(queue));
    declared.messages(17, deliveries).number(20, actor.request.is_some().into())
}
