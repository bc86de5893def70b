use super::*;
use crate::actor::Actor;
use crate::requests::Response;
use crate::turn::Turn;

fn plugin() -> Plugin {
    let actor = Actor::new("a").action("echo", |c, (text,): (String,)| {
        c.set_state("last", &text)?;
        c.broadcast("said", &(&text,))?;
        Ok(text)
    });
    let actor = actor
        .action("ask", |c, _: [(); 0]| {
            c.kv().put("b", "c");
            Ok(c.kv().get("a")?.is_some())
        })
        .asking("query", |c: Turn, _: [(); 0]| async move {
            c.with(|c| c.set_state("asked", &true))?;
            let changes = c.exec("A", ()).await?;
            let rows = c.query::<serde_json::Value>("B", (1,)).await?;
            Ok(changes.changes + rows.len() as i64)
        })
        .requests(|_, request| Ok(Response::new(200, request.body)))
        .sockets(
            |c, socket| c.send_text(socket.number, "hi"),
            |c, socket, _| c.close_socket(socket, 1000, "enough"),
            |_, _| Ok(()),
        );
    Plugin::new("p", "1")
        .actor(actor)
        .middleware(1, "m", 0, |payload: serde_json::Value| Ok(payload))
        .around(14, "m", 0, |payload: serde_json::Value, call| {
            call.host().mark("m", ())?;
            call.next::<serde_json::Value>(&payload)
        })
        .stream(25, "m", 0, |payload: serde_json::Value, call| {
            call.next_stream::<serde_json::Value>(&payload)
        })
        .threads(2)
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    let mut frame = (bytes.len() as u32).to_le_bytes().to_vec();
    frame.extend_from_slice(bytes);
    frame
}

fn to_actor(instance: u64, what: u32, message: Writer) -> Vec<u8> {
    framed(&Writer::default().message(2, Writer::default().number(1, instance).message(what, message)).bytes)
}

/// Frames that a host says, of any instance.
fn frames(instance: u64) -> Vec<Vec<u8>> {
    let row = || Writer::default().number(1, 1).text(2, "last").text(4, "\"x\"");
    let start = || Writer::default().message(8, row()).text(9, "a");
    let call = Writer::default().number(1, 1).text(2, "echo").text(3, "[\"hi\"]");
    let ask = Writer::default().number(1, 2).text(2, "ask").text(3, "[]");
    let found = |number| {
        let row = Writer::default().number(1, 2).text(3, "a").text(4, "b");
        to_actor(instance, 10, Writer::default().number(1, number).message(3, row))
    };
    let raw = |what, second: &str| to_actor(instance, what, Writer::default().number(1, 1).text(2, second));
    let request = Writer::default().number(1, 1).text(2, "GET").number(6, 1);
    let invoke = |kind| {
        let invoke = Writer::default().number(1, instance + kind).text(2, "m").number(3, kind);
        framed(&Writer::default().message(3, invoke.text(4, "{}")).bytes)
    };
    // Questions have numbers of their own; one of these is the one.
    let answer = |what, invoke, number, stream| {
        let answer = Writer::default().number(1, invoke).number(2, number).text(3, "1").number(5, stream);
        framed(&Writer::default().message(what, answer).bytes)
    };
    let credit = |chunks| {
        let credit = Writer::default().number(1, instance + 25).number(3, chunks);
        framed(&Writer::default().message(10, credit).bytes)
    };
    vec![
        framed(&Writer::default().message(1, Writer::default().number(1, 1)).bytes),
        to_actor(instance, 2, start()),
        to_actor(instance + 1, 2, start().number(10, 1)),
        to_actor(instance + 1, 14, Writer::default().message(1, row()).number(2, 1)),
        to_actor(instance, 4, call),
        to_actor(instance, 4, ask),
        found(instance),
        found(instance + 1),
        to_actor(instance, 4, Writer::default().number(1, 3).text(2, "query").text(3, "[]")),
        found(instance + 2),
        found(instance + 3),
        raw(11, "/chat"),
        raw(12, "words"),
        raw(13, ""),
        to_actor(instance, 20, request),
        to_actor(instance, 24, Writer::default().number(1, 1).number(2, 1)),
        raw(22, "some of it"),
        raw(23, ""),
        raw(21, ""),
        to_actor(instance, 5, Writer::default().number(1, 1)),
        to_actor(instance, 6, Writer::default().number(1, 1)),
        invoke(1),
        invoke(14),
        invoke(25),
        answer(11, instance, 0, 0),
        answer(7, instance + 14, instance, 0),
        answer(7, instance + 25, instance + 1, 1),
        answer(7, instance + 25, instance + 2, 1),
        credit(2),
        answer(8, instance + 25, instance + 1, 0),
        answer(9, instance + 25, instance + 2, 0),
        credit(0),
        framed(&Writer::default().message(4, Writer::default().number(1, instance + 14)).bytes),
        to_actor(instance, 3, Writer::default()),
    ]
}

#[test]
fn damaged_frames_never_do_more_than_break_it() {
    let mut random = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) as usize % below
    };
    let (mut taken, mut broken) = (0, 0);
    for _ in 0..300 {
        let host = Table { max_frame: 4096, max_queued: 64, wake: Box::new(|| ()) };
        let mut session = Session::new(plugin(), host);
        'plugin: for round in 0..6 {
            for mut frame in frames(1 + 2 * round) {
                if next(20) == 0 {
                    let at = next(frame.len());
                    frame[at] = next(256) as u8;
                }
                if session.heard(&frame).is_none() {
                    broken += 1;
                    break 'plugin;
                }
                taken += 1;
                let mut into = [0; 8192];
                assert!(session.pull(&mut into) >= 0);
            }
        }
        assert!(session.close(Duration::from_secs(60)));
    }
    assert!(taken > 3_000 && broken > 100, "{taken} {broken}");
}

/// What is said of an actor that asks: its questions' numbers, its answers or their errors, and its end, in order, as soon as
/// there are so many.
fn said(session: &Session, count: usize) -> Vec<String> {
    let mut said = Vec::new();
    let until = std::time::Instant::now() + Duration::from_secs(60);
    while said.len() < count && std::time::Instant::now() < until {
        let mut into = [0; 8192];
        let size = usize::try_from(session.pull(&mut into)).unwrap();
        let mut bytes = &into[..size];
        while let Some((whole, rest)) = split_frame(bytes) {
            bytes = rest;
            let fields = Reader::new(whole).fields().unwrap();
            for field in fields.iter().filter(|field| field.number == frame::ACTOR) {
                for word in field.message().fields().unwrap() {
                    match word.number {
                        9 => said.push(format!("ask {}", word.message().number(1).unwrap())),
                        5 => said.push(reply_of(word.message())),
                        3 => said.push("end".into()),
                        _ => {}
                    }
                }
            }
        }
    }
    said
}

fn reply_of(reply: Reader) -> String {
    let fields = reply.fields().unwrap();
    let error = fields.iter().find(|field| field.number == 3);
    let code = error.map(|error| error.message().fields().unwrap()[1].text());
    code.unwrap_or_else(|| fields.iter().find(|field| field.number == 2).unwrap().text())
}

/// A statement's answer, in CBOR: two changes, and three rows of one column.
fn answered(number: u64) -> Vec<u8> {
    let result =
        serde_json::json!({ "changes": 2, "lastInsertRowId": 0, "columns": ["n"], "rows": [[1], [2], [3]] });
    let result: crate::value::Value = serde_json::from_value(result).unwrap();
    let answer = Writer::default().number(1, number).bytes(4, &result.to_cbor().unwrap());
    to_actor(1, 10, answer)
}

#[test]
fn an_action_that_asks_goes_on_behind_each_answer_and_fails_when_nobody_gives_one() {
    let host = Table { max_frame: 4096, max_queued: 64, wake: Box::new(|| ()) };
    let mut session = Session::new(plugin(), host);
    let call = |number| to_actor(1, 4, Writer::default().number(1, number).text(2, "query").text(3, "[]"));
    session.heard(&framed(&Writer::default().message(1, Writer::default().number(1, 1)).bytes)).unwrap();
    session.heard(&to_actor(1, 2, Writer::default().text(9, "a"))).unwrap();
    session.heard(&call(1)).unwrap();
    assert_eq!(said(&session, 1), ["ask 1"]);
    // The next call runs while the first one has no answer.
    session.heard(&call(2)).unwrap();
    assert_eq!(said(&session, 1), ["ask 2"]);
    session.heard(&answered(1)).unwrap();
    assert_eq!(said(&session, 1), ["ask 3"]);
    session.heard(&answered(3)).unwrap();
    assert_eq!(said(&session, 1), ["5"]);
    // Told to stop: what waits has its answer all the same, and asks again, until the host says that it has waited enough.
    session.heard(&to_actor(1, 3, Writer::default().number(1, 1))).unwrap();
    session.heard(&answered(2)).unwrap();
    assert_eq!(said(&session, 1), ["ask 4"]);
    session.heard(&to_actor(1, 3, Writer::default().number(1, BROKEN))).unwrap();
    assert_eq!(said(&session, 2), ["stopped", "end"]);
    assert!(session.close(Duration::from_secs(60)));
}

#[test]
fn an_actor_ends_behind_what_waits_however_often_it_is_told() {
    let (go, gate) = std::sync::mpsc::channel();
    let gate = std::sync::Mutex::new(gate);
    let slow = Actor::new("slow").action("get", move |c, _: [(); 0]| {
        let found = c.kv().get("a");
        gate.lock().unwrap().recv().unwrap();
        found.map(|found| found.is_some())
    });
    let host = Table { max_frame: 4096, max_queued: 64, wake: Box::new(|| ()) };
    let mut session = Session::new(Plugin::new("p", "1").actor(slow), host);
    let call = |number| to_actor(1, 4, Writer::default().number(1, number).text(2, "get").text(3, "[]"));
    let stop = |reason| to_actor(1, 3, Writer::default().number(1, reason));
    session.heard(&framed(&Writer::default().message(1, Writer::default().number(1, 1)).bytes)).unwrap();
    session.heard(&to_actor(1, 2, Writer::default().text(9, "slow"))).unwrap();
    session.heard(&call(1)).unwrap();
    assert_eq!(said(&session, 1), ["ask 1"]);
    // This one has begun nothing when nobody answers any more.
    session.heard(&call(2)).unwrap();
    session.heard(&stop(1)).unwrap();
    session.heard(&stop(BROKEN)).unwrap();
    session.heard(&stop(BROKEN)).unwrap();
    assert_eq!(session.pull(&mut [0; 8192]), 0, "it ends while a call of it waits");
    go.send(()).unwrap();
    go.send(()).unwrap();
    assert_eq!(said(&session, 3), ["stopped", "stopped", "end"]);
    session.heard(&stop(BROKEN)).unwrap();
    assert_eq!(session.pull(&mut [0; 8192]), 0, "its end was its last word");
    assert!(session.close(Duration::from_secs(60)));
}
