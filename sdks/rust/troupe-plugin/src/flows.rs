//! Results that come in items. Each is made on its actor's lane when its reader has room for it, between other functions of the
//! actor: a slow reader holds nobody up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::actor::Items;
use crate::context::Part;
use crate::error::Error;
use crate::lanes::lock;
use crate::running::Running;
use crate::voice::{To, say};
use crate::wire::Writer;

/// One of them.
struct Flow {
    /// Not here while an item is made.
    at_rest: Option<(Items, Part)>,
    credits: u64,
    /// An item of it is on the lane.
    waits: bool,
}

/// Those of one actor, by call.
#[derive(Default)]
pub(crate) struct Flows {
    open: Mutex<HashMap<u64, Flow>>,
}

impl Flows {
    /// Nobody takes more. False: it isn't one of them.
    pub(crate) fn cancel(&self, call: u64) -> bool {
        let cut = lock(&self.open).remove(&call);
        cut.is_some()
    }

    /// The actor ends.
    pub(crate) fn clear(&self) {
        let open = std::mem::take(&mut *lock(&self.open));
        // What the author keeps in them goes behind the lock.
        drop(open);
    }

    fn take(&self, call: u64) -> Option<(Items, Part)> {
        lock(&self.open).get_mut(&call)?.at_rest.take()
    }

    /// The item was made. True: there is room for another one.
    fn put(&self, call: u64, at_rest: (Items, Part)) -> bool {
        let mut open = lock(&self.open);
        let Some(flow) = open.get_mut(&call) else {
            // Nobody takes more: what the author keeps goes behind the lock.
            drop(open);
            return false;
        };
        flow.at_rest = Some(at_rest);
        flow.credits -= 1;
        flow.waits = flow.credits > 0;
        flow.waits
    }
}

impl Running {
    /// A call is answered with items.
    pub(crate) fn flow(self: &Arc<Self>, to: To, part: Part, items: Items) {
        let flow = Flow { at_rest: Some((items, part)), credits: 0, waits: false };
        lock(&self.flows.open).insert(to.call, flow);
        self.shared.voice.say(self.instance, say::STREAM_START, Writer::default().number(1, to.call));
    }

    /// Its reader takes so many items more.
    pub(crate) fn credit_items(self: &Arc<Self>, call: u64, items: u64) {
        let mut open = lock(&self.flows.open);
        let Some(flow) = open.get_mut(&call) else {
            return;
        };
        flow.credits += items;
        let begins = !flow.waits;
        flow.waits = true;
        drop(open);
        if begins {
            self.next_item(call);
        }
    }

    fn next_item(self: &Arc<Self>, call: u64) {
        let this = Arc::clone(self);
        // Without a thread nothing of the plugin runs any more.
        let _ = self.shared.lanes.must_add(&self.lane, Box::new(move || this.make_item(call)));
    }

    fn make_item(self: &Arc<Self>, call: u64) {
        let Some((mut items, part)) = self.flows.take(call) else {
            return;
        };
        let (part, item) = self.run_item(part, &mut items);
        let item = item.and_then(|item| match item {
            Some(item) if !self.say_item(call, &item) => Err(Error::too_long()),
            item => Ok(item),
        });
        let end = match item {
            Ok(Some(_)) => {
                if self.flows.put(call, (items, part)) {
                    self.next_item(call);
                }
                return;
            }
            Ok(None) => Ok(Vec::new()),
            Err(error) => Err(error),
        };
        self.flows.cancel(call);
        self.answer(To { instance: self.instance, call }, end);
    }

    fn say_item(&self, call: u64, item: &[u8]) -> bool {
        let item = Writer::default().number(1, call).bytes(2, item);
        self.shared.voice.say(self.instance, say::STREAM_ITEM, item)
    }
}
