/** Resource limits, each with its unit and default. */
export class Limits {
  /** Live streams open at once. */
  readonly streams: number = 12_000;
  /** Sources of one /events stream. */
  readonly sources: number = 32;
  /** Tasks of one /concurrent_stream request running at once; the others wait. */
  readonly tasks: number = 50;
  /** Outbound requests under way at once; each http sensor has one more of its own. */
  readonly outbound: number = 50;
  /** Duration of an outbound request, in ms; an http sensor has its own timeout. */
  readonly outboundMs: number = 5_000;
  /** Bytes of an outbound response's body. */
  readonly outboundBytes: number = 1_048_576;
  /** Downloads and listings under way at once. */
  readonly downloads: number = 500;
  /** WebSockets open at once; while more than a quarter as many were closed and linger, new ones are refused. */
  readonly sockets: number = 10_000;
  /** Bytes of messages from all peers that wait for their functions, or are in work. */
  readonly socketsBytes: number = 134_217_728;
  /** Messages of sockets whose work waits for something, in work at once in all; the others wait. */
  readonly socketTasks: number = 200;
  /** Time that a message to a socket's peer may wait for room before the socket is closed, in ms. */
  readonly socketStalledMs: number = 30_000;
  /** Time for a socket to be closed, and its peer to answer that, before it lingers and no longer counts as open, in ms. */
  readonly socketCloseMs: number = 5_000;
  /** Bytes of a request target: 1,000 tasks of /concurrent_stream fit in. */
  readonly targetBytes: number = 32_768;
  /** Bytes of a request body. */
  readonly bodyBytes: number = 1_048_576;
  /** Time for a request body to arrive, in ms. */
  readonly bodyMs: number = 10_000;
  /** Bytes of all request bodies being read. */
  readonly bodiesBytes: number = 67_108_864;
  /** Bytes of a log line; the rest of a longer one is skipped. */
  readonly lineBytes: number = 65_536;
  /** Bytes of a log that are looked through, backwards, for the last lines that a filter wants. */
  readonly searchBytes: number = 67_108_864;
  /** Such searches under way at once; the others wait. Each takes what it gets of the event loop. */
  readonly searches: number = 2;
  /** Bytes of a packed log as they are unpacked, and of all that one search for a cursor unpacks; beyond it is a gap. */
  readonly unpackedBytes: number = 67_108_864;
  /** Logs followed at once. */
  readonly followedLogs: number = 1_000;
  /** Bytes of the access log before it is rotated. */
  readonly accessLogBytes: number = 16_777_216;
  /** Rotated access logs retained. */
  readonly accessLogsKept: number = 3;
  /** Channels at once. */
  readonly channels: number = 1_000;
  /** Events of one post to a channel. */
  readonly postEvents: number = 10_000;
  /** Bytes of posts that wait for Redis. */
  readonly publishBytes: number = 67_108_864;
  /** Events retained in a channel's history. */
  readonly channelEvents: number = 2_000;
  /** Bytes retained in a channel's history. */
  readonly channelBytes: number = 4_194_304;
  /** Bytes retained in the histories of all channels. */
  readonly channelsBytes: number = 67_108_864;
  /** Runs at once: those that go on, and those that are retained after their end. */
  readonly runs: number = 1_000;
  /** Events retained of a run. */
  readonly runEvents: number = 100_000;
  /** Bytes retained of a run. */
  readonly runBytes: number = 16_777_216;
  /** Bytes of memory that all runs retain. */
  readonly runsBytes: number = 67_108_864;
  /** Readings retained in a sensor's history. */
  readonly sensorReadings: number = 3_600;
  /** Names in a folder that is packed, and in those below it. */
  readonly zipEntries: number = 10_000;
  /** Bytes of the files in it. */
  readonly zipBytes: number = 34_359_738_368;
  /** Names in one part of a directory listing. */
  readonly listing: number = 10_000;

  /** The defaults, with some of them replaced. */
  constructor(replaced: Partial<Limits> = {}) {
    Object.freeze(Object.assign(this, replaced));
  }
}
