//! Work lanes and the threads that run them.
//!
//! A lane's jobs run one at a time, in the order in which they were added. Lanes with work wait in one line, and a thread
//! takes the first of them, runs one job of it, and puts it at the end: no lane starves another. A thread is made when a
//! lane has work and no thread is free, up to a number, and stays until the end. Each thread keeps the lanes alive, so that
//! one that outlives `finish` ends by itself.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Jobs that wait on one lane.
const LANE_JOBS: usize = 4096;

type Run = Box<dyn FnOnce() + Send>;

struct Job {
    run: Run,
    bytes: usize,
    /// Of its call; 0 for none.
    number: u64,
}

/// What a job is beside its work.
#[derive(Clone, Copy)]
pub struct Label {
    /// Of its call.
    pub number: u64,
    /// That it keeps.
    pub bytes: usize,
}

/// Jobs that run one at a time.
#[derive(Default)]
pub struct Lane {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// It waits in the line, or a thread runs a job of it.
    busy: bool,
}

/// Why a job wasn't added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    Full,
    NoThread,
}

#[derive(Default)]
struct State {
    line: VecDeque<Arc<Lane>>,
    bytes: usize,
    threads: Vec<JoinHandle<()>>,
    idle: usize,
    alive: usize,
    /// Of those that are alive: they wait for the host, and another may work in their place.
    blocked: usize,
    deferred: usize,
    closing: bool,
    ending: bool,
}

/// The line of lanes, and its threads.
pub struct Lanes {
    state: Mutex<State>,
    /// A lane waits, or the end has come.
    work: Condvar,
    /// A thread has ended, or a deferred call was settled.
    ended: Condvar,
    max_threads: usize,
    max_bytes: usize,
}

/// Nothing panics while one of these locks is held but what has made the state no worse.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lanes {
    pub fn new(max_threads: usize, max_bytes: usize) -> Self {
        Self {
            state: Mutex::default(),
            work: Condvar::new(),
            ended: Condvar::new(),
            max_threads: max_threads.max(1),
            max_bytes,
        }
    }

    /// Adds a job, if the lane has room.
    pub fn add(self: &Arc<Self>, lane: &Arc<Lane>, label: Label, run: Run) -> Result<(), Refused> {
        let Label { number, bytes } = label;
        let full = |state: &State, queue: &Queue| {
            queue.jobs.len() >= LANE_JOBS || (state.bytes > 0 && state.bytes + bytes > self.max_bytes)
        };
        self.line_up(lane, Job { run, bytes, number }, full)
    }

    /// Adds a job whatever the limits are.
    pub fn must_add(self: &Arc<Self>, lane: &Arc<Lane>, run: Run) -> Result<(), Refused> {
        self.line_up(lane, Job { run, bytes: 0, number: 0 }, |_, _| false)
    }

    fn line_up(
        self: &Arc<Self>,
        lane: &Arc<Lane>,
        job: Job,
        full: impl FnOnce(&State, &Queue) -> bool,
    ) -> Result<(), Refused> {
        let mut state = lock(&self.state);
        let mut queue = lock(&lane.queue);
        if full(&state, &queue) {
            return Err(Refused::Full);
        }
        if !queue.busy && state.line.len() >= state.idle {
            self.make_thread(&mut state);
        }
        if state.alive == 0 {
            return Err(Refused::NoThread);
        }
        state.bytes += job.bytes;
        queue.jobs.push_back(job);
        if !queue.busy {
            queue.busy = true;
            state.line.push_back(Arc::clone(lane));
            self.work.notify_one();
        }
        Ok(())
    }

    /// Drops the job of a call that nobody waits for, if it hasn't begun. False: there was none.
    pub fn cancel(&self, lane: &Lane, number: u64) -> bool {
        let mut state = lock(&self.state);
        let mut queue = lock(&lane.queue);
        let found = queue.jobs.iter().position(|job| number > 0 && job.number == number);
        let Some(job) = found.and_then(|at| queue.jobs.remove(at)) else {
            return false;
        };
        state.bytes -= job.bytes;
        // What the job keeps goes behind the locks.
        drop((queue, state));
        true
    }

    /// A call is answered by somebody else's thread: `finish` waits for it.
    pub fn defer(&self) {
        lock(&self.state).deferred += 1;
    }

    pub fn settled(&self) {
        lock(&self.state).deferred -= 1;
        self.ended.notify_all();
    }

    /// What isn't begun needn't be.
    pub fn close(&self) {
        lock(&self.state).closing = true;
    }

    pub fn closing(&self) -> bool {
        lock(&self.state).closing
    }

    /// Nothing is added any more. Waits until all lanes are idle, all threads have ended and no call is deferred; false
    /// when the time is up.
    pub fn finish(&self, timeout: Duration) -> bool {
        let until = Instant::now() + timeout;
        let mut state = lock(&self.state);
        state.ending = true;
        self.work.notify_all();
        while state.alive > 0 || state.deferred > 0 {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        for thread in threads {
            // It has ended but for its last instructions; what it panicked with is nobody's.
            let _ = thread.join();
        }
        true
    }

    /// Waits for the host, while another thread may work in this one's place.
    pub fn blocking<T>(self: &Arc<Self>, wait: impl FnOnce() -> T) -> T {
        let mut state = lock(&self.state);
        state.blocked += 1;
        if state.line.len() > state.idle {
            self.make_thread(&mut state);
        }
        drop(state);
        let given = wait();
        lock(&self.state).blocked -= 1;
        given
    }

    /// Makes a thread, if there may be one more.
    fn make_thread(self: &Arc<Self>, state: &mut State) {
        if state.ending || state.alive >= self.max_threads + state.blocked {
            return;
        }
        // One that ended since is nobody's to wait for.
        state.threads.retain(|thread| !thread.is_finished());
        let lanes = Arc::clone(self);
        if let Ok(thread) = thread::Builder::new().name("troupe-work".into()).spawn(move || lanes.work()) {
            state.threads.push(thread);
            state.alive += 1;
        }
    }

    fn work(&self) {
        let mut state = lock(&self.state);
        loop {
            while let Some(lane) = state.line.pop_front() {
                drop(state);
                let bytes = run_first(&lane);
                state = lock(&self.state);
                state.bytes -= bytes;
                let mut queue = lock(&lane.queue);
                queue.busy = !queue.jobs.is_empty();
                if queue.busy {
                    state.line.push_back(Arc::clone(&lane));
                }
            }
            // More than there may be: another has stopped waiting.
            if state.ending || state.alive > self.max_threads + state.blocked {
                break;
            }
            state.idle += 1;
            state = self.work.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
        state.alive -= 1;
        self.ended.notify_all();
    }
}

/// Runs a lane's first job; gives the bytes that it kept. A thread outlives what panics.
fn run_first(lane: &Lane) -> usize {
    let job = lock(&lane.queue).jobs.pop_front();
    let Some(Job { run, bytes, .. }) = job else {
        return 0;
    };
    let _ = catch_unwind(AssertUnwindSafe(run));
    bytes
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn label(number: u64, bytes: usize) -> Label {
        Label { number, bytes }
    }

    #[test]
    fn a_lane_runs_in_order_while_another_waits() {
        let lanes = Arc::new(Lanes::new(2, 100));
        let (busy, other) = (Arc::new(Lane::default()), Arc::new(Lane::default()));
        let (go, gate) = channel();
        let (say, said) = channel();
        lanes.add(&busy, label(0, 0), Box::new(move || gate.recv().unwrap())).unwrap();
        for number in 0..10 {
            let say = say.clone();
            lanes.add(&other, label(0, 0), Box::new(move || say.send(number).unwrap())).unwrap();
        }
        for number in 0..10 {
            assert_eq!(said.recv_timeout(LONG), Ok(number));
        }
        assert!(!lanes.finish(Duration::from_millis(1)), "one lane is busy");
        go.send(()).unwrap();
        assert!(lanes.finish(LONG));
    }

    #[test]
    fn a_panic_ends_its_job_alone() {
        let lanes = Arc::new(Lanes::new(1, 100));
        let lane = Arc::new(Lane::default());
        let (say, said) = channel();
        lanes.add(&lane, label(0, 0), Box::new(|| panic!("oh"))).unwrap();
        lanes.add(&lane, label(0, 0), Box::new(move || say.send(1).unwrap())).unwrap();
        assert_eq!(said.recv_timeout(LONG), Ok(1));
        assert!(lanes.finish(LONG));
    }

    #[test]
    fn what_waits_for_the_host_keeps_nobody_from_its_thread() {
        let lanes = Arc::new(Lanes::new(1, 100));
        let (go, gate) = channel();
        let (say, said) = channel();
        for depth in 0..20 {
            let (lanes_within, say) = (Arc::clone(&lanes), say.clone());
            let gate = (depth == 19).then(|| go.clone());
            let (wake, woken) = channel::<()>();
            let run = move || {
                say.send(wake).unwrap();
                lanes_within.blocking(|| woken.recv().unwrap());
                drop(gate);
            };
            lanes.add(&Arc::default(), label(0, 0), Box::new(run)).unwrap();
        }
        // Each has begun though all those before it wait.
        let waiting: Vec<_> = (0..20).map(|_| said.recv_timeout(LONG).unwrap()).collect();
        drop(go);
        waiting.iter().for_each(|wake: &std::sync::mpsc::Sender<()>| wake.send(()).unwrap());
        let ended: Result<(), _> = gate.recv_timeout(LONG);
        assert!(ended.is_err(), "the last one's end of the gate is gone");
        assert!(lanes.finish(LONG));
    }

    #[test]
    fn what_is_cancelled_before_it_began_never_runs() {
        let lanes = Arc::new(Lanes::new(1, 100));
        let (busy, lane) = (Arc::new(Lane::default()), Arc::new(Lane::default()));
        let (go, gate) = channel();
        let (say, said) = channel();
        lanes.add(&busy, label(0, 0), Box::new(move || gate.recv().unwrap())).unwrap();
        for number in 1..4 {
            let say = say.clone();
            lanes.add(&lane, label(number, 1), Box::new(move || say.send(number).unwrap())).unwrap();
        }
        lanes.cancel(&lane, 2);
        lanes.cancel(&lane, 7);
        go.send(()).unwrap();
        drop(say);
        assert_eq!(said.iter().collect::<Vec<_>>(), [1, 3]);
        assert!(lanes.finish(LONG));
    }

    #[test]
    fn what_waits_is_bounded() {
        let lanes = Arc::new(Lanes::new(1, 100));
        let lane = Arc::new(Lane::default());
        let (go, gate) = channel::<()>();
        lanes.add(&lane, label(0, 60), Box::new(move || gate.recv().unwrap())).unwrap();
        assert_eq!(lanes.add(&lane, label(0, 60), Box::new(|| ())), Err(Refused::Full));
        for _ in 0..LANE_JOBS {
            let _ = lanes.add(&lane, label(0, 0), Box::new(|| ()));
        }
        assert_eq!(lanes.add(&lane, label(0, 0), Box::new(|| ())), Err(Refused::Full));
        assert_eq!(lanes.must_add(&lane, Box::new(|| ())), Ok(()));
        go.send(()).unwrap();
        assert!(lanes.finish(LONG));
    }
}
