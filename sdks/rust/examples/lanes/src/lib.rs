//! An actor whose functions take as long as somebody else lets them: they wait at gates, numbered, which this library's
//! plugins share. Who passes a gate closes it behind itself.

use std::collections::HashSet;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use troupe_plugin::{Actor, Context, Deferred, Error, Plugin, export_plugin};

const TOOL_CONDITIONAL: u32 = 12;

static OPEN: Mutex<Option<HashSet<i64>>> = Mutex::new(None);
static OPENED: Condvar = Condvar::new();
/// At which the next start waits.
static NEXT_START: Mutex<Option<i64>> = Mutex::new(None);
static HELD: Condvar = Condvar::new();

fn pass(gate: i64) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    while !open.get_or_insert_default().remove(&gate) {
        open = OPENED.wait(open).unwrap_or_else(PoisonError::into_inner);
    }
}

fn let_in(gate: i64) {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default().insert(gate);
    OPENED.notify_all();
}

fn start(c: &mut Context, is_new: bool) -> Result<(), Error> {
    let gate = NEXT_START.lock().unwrap_or_else(PoisonError::into_inner).take();
    HELD.notify_all();
    if let Some(gate) = gate {
        pass(gate);
    }
    if is_new { c.set_state("count", &0) } else { Ok(()) }
}

fn count(c: &mut Context, _: [(); 0]) -> Result<i64, Error> {
    let count = c.state::<i64>("count")?.unwrap_or(0) + 1;
    c.set_state("count", &count)?;
    c.broadcast("counted", &(count,))?;
    Ok(count)
}

fn size(c: &mut Context, (rows,): (i64,)) -> Result<usize, Error> {
    (0..rows).try_fold(0, |sum, at| Ok(sum + c.state::<String>(&format!("p{at}"))?.unwrap_or_default().len()))
}

fn guard(gates: Vec<i64>) -> Result<Vec<i64>, Error> {
    gates.first().copied().filter(|gate| *gate > 0).into_iter().for_each(pass);
    Ok(gates)
}

fn plugin() -> Plugin {
    let actor = Actor::new("lanes")
        .event("counted")
        .event("waiting")
        .start(start)
        .accept(|params: Option<String>| match params.as_deref() {
            Some("unwelcome") => Err(Error::new("lanes", "refused", "not this one")),
            _ => Ok(()),
        })
        .action("let", |_, (gate,): (i64,)| {
            let_in(gate);
            Ok(())
        })
        .action("waitAt", |c, (gate,): (i64,)| {
            c.broadcast("waiting", &[(); 0])?;
            pass(gate);
            Ok(gate)
        })
        .action("holdStart", |_, (gate,): (i64,)| {
            *NEXT_START.lock().unwrap_or_else(PoisonError::into_inner) = Some(gate);
            Ok(())
        })
        .action("startHeld", |_, _: [(); 0]| {
            let next = NEXT_START.lock().unwrap_or_else(PoisonError::into_inner);
            drop(HELD.wait_while(next, |next| next.is_some()).unwrap_or_else(PoisonError::into_inner));
            Ok(())
        })
        .deferred("later", |c, (gate,): (i64,)| {
            c.set_state("deferred", &true)?;
            Ok(move |call: Deferred<i64>| {
                thread::spawn(move || {
                    pass(gate);
                    call.resolve(&gate);
                });
            })
        })
        .action("count", count)
        .action("fill", |c, (at, size): (i64, usize)| c.set_state(&format!("p{at}"), &"x".repeat(size)))
        .action("size", size);
    Plugin::new("lanes", env!("CARGO_PKG_VERSION"))
        .actor(actor)
        .middleware(TOOL_CONDITIONAL, "slow", 0, guard)
        .middleware(TOOL_CONDITIONAL, "other", 0, guard)
}

export_plugin!(plugin);
