/** Streams as three providers send them, and what bad networks and servers make of such. */

const openai = `data: {"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{"role":"assistant","content":"Grüße 👋"}}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}

data: {"id":"c1","object":"chat.completion.chunk","model":"m-1","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2,"total_tokens":9}}

data: [DONE]

`;

const anthropic = `event: message_start
data: {"type":"message_start","message":{"id":"m1","type":"message","role":"assistant","model":"m-1","content":[],"usage":{"input_tokens":7,"output_tokens":1}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Grüße 👋"}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":2}}

event: message_stop
data: {"type":"message_stop"}

`;

const gemini = `data: {"candidates":[{"content":{"parts":[{"text":"Grüße "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"m-1"}\r
\r
data: {"candidates":[{"content":{"parts":[{"text":"👋"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9},"modelVersion":"m-1"}\r
\r
`;

/** As Gemini streams where nobody asks for events: a list that is written while the model speaks. */
const geminiList = `[{
  "candidates": [{"content": {"parts": [{"text": "Grüße "}],"role": "model"},"index": 0}],
  "usageMetadata": {"promptTokenCount": 7,"totalTokenCount": 7},
  "modelVersion": "m-1"
}
,\r
{
  "candidates": [{"content": {"parts": [{"text": "\\"}]\\\\ 👋"},{"functionCall": {"name": "ls","args": {"inode": 12345678901234567890}}}],"role": "model"},"finishReason": "STOP","index": 0}],
  "usageMetadata": {"promptTokenCount": 7,"candidatesTokenCount": 2,"totalTokenCount": 9.0},
  "modelVersion": "m-1"
}
]
`;

/** Path and list. */
export const recordedList: readonly [path: string, list: Buffer] = [
  "/v1beta/models/m-1:streamGenerateContent",
  Buffer.from(geminiList),
];

/** Path and stream of each: what the trace says of a whole one is m-1, 7 tokens in, 2 out. */
export const recorded: readonly (readonly [path: string, stream: Buffer])[] = [
  ["/v1/chat/completions", Buffer.from(openai)],
  ["/v1/messages", Buffer.from(anthropic)],
  ["/v1beta/models/m-1:streamGenerateContent?alt=sse", Buffer.from(gemini)],
];

/** What may be done to a stream, by name. */
export const spoilt: Readonly<Record<string, (stream: Buffer) => Buffer>> = {
  "as it is": (stream) => stream,
  "comments, ids and retries between": (stream) =>
    Buffer.from(`\uFEFF: hello\nid: 7\nretry: 10\n\n:\n${stream}`.replaceAll("\n\n", "\n: ping\nid: 8\n\n")),
  "lines that end with a carriage return": (stream) => Buffer.from(`${stream}`.replaceAll(/\r?\n/g, "\r")),
  "cut in a character": (stream) => stream.subarray(0, stream.indexOf(0xf0) + 2),
  "no text at all": (stream) =>
    Buffer.concat([stream.subarray(0, 40), Buffer.from([0xff, 0xfe, 0, 0x80]), stream]),
  "JSON that isn't": (stream) =>
    Buffer.from(`${stream}`.replaceAll('"content', '"con"tent').replaceAll('"parts"', "parts")),
  "of another shape": () =>
    Buffer.from('data: []\n\ndata: null\n\ndata: {"choices":{},"candidates":7}\n\ndata: 1e999\n\n'),
  "one line without an end": (stream) =>
    Buffer.concat([Buffer.from("data: "), Buffer.alloc(300_000, "x"), stream]),
};
