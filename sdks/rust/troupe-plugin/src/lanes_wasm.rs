//! Lanes where there is one thread, the host's: a job runs where it is added. One that is added to a lane while a job of it runs
//! follows that job. The rest is as in `lanes.rs`, which has threads.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Run = Box<dyn FnOnce() + Send>;

/// What a job is beside its work: where it waits.
#[derive(Clone, Copy)]
pub struct Label {
    /// Of its call.
    pub number: u64,
    /// That it keeps: where jobs wait they have a limit.
    #[allow(dead_code)]
    pub bytes: usize,
}

/// Jobs that run one at a time.
#[derive(Default)]
pub struct Lane {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    /// With the number of its call; 0 for none.
    jobs: VecDeque<(u64, Run)>,
    busy: bool,
}

/// Why a job wasn't added: where there are threads.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code)]
pub enum Refused {
    Full,
    NoThread,
}

/// Whether the plugin ends, and who is waited for.
#[derive(Default)]
pub struct Lanes {
    deferred: AtomicUsize,
    closing: AtomicBool,
}

/// Nothing panics while one of these locks is held but what has made the state no worse.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lanes {
    pub fn new(_max_threads: usize, _max_bytes: usize) -> Self {
        Self::default()
    }

    pub fn add(self: &Arc<Self>, lane: &Arc<Lane>, label: Label, run: Run) -> Result<(), Refused> {
        let mut queue = lock(&lane.queue);
        queue.jobs.push_back((label.number, run));
        if queue.busy {
            return Ok(());
        }
        queue.busy = true;
        while let Some((_, job)) = queue.jobs.pop_front() {
            drop(queue);
            job();
            queue = lock(&lane.queue);
        }
        queue.busy = false;
        Ok(())
    }

    pub fn must_add(self: &Arc<Self>, lane: &Arc<Lane>, run: Run) -> Result<(), Refused> {
        self.add(lane, Label { number: 0, bytes: 0 }, run)
    }

    pub fn cancel(&self, lane: &Lane, number: u64) -> bool {
        let mut queue = lock(&lane.queue);
        let found = queue.jobs.iter().position(|(of, _)| number > 0 && *of == number);
        let job = found.and_then(|at| queue.jobs.remove(at));
        drop(queue);
        job.is_some()
    }

    pub fn defer(&self) {
        self.deferred.fetch_add(1, Ordering::SeqCst);
    }

    pub fn settled(&self) {
        self.deferred.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    pub fn closing(&self) -> bool {
        self.closing.load(Ordering::SeqCst)
    }

    pub fn finish(&self, _timeout: Duration) -> bool {
        self.deferred.load(Ordering::SeqCst) == 0
    }

    /// Nobody gets here: what would wait is refused, for the host's thread is the only one.
    pub fn blocking<T>(self: &Arc<Self>, wait: impl FnOnce() -> T) -> T {
        wait()
    }
}
