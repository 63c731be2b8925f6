import os from "node:os";
import { statfs } from "node:fs/promises";
import { sleep } from "../stream/clock.ts";
import type { Sensor } from "./sensor.ts";

/** Counters of the server. */
export interface Traffic {
  /** Requests answered since the start. */
  requests: number;
  /** Bytes of bodies sent since the start. */
  bytes: number;
}

/** The ids of all host sensors, whether this host has them or not. */
export const hostSensorIds = [
  "cpu",
  "load",
  "memory",
  "memory-available",
  "disk",
  "disk-free",
  "server-memory",
  "server-heap",
  "requests",
  "sent",
  "event-loop-delay",
] as const;

/** The sensors that this host has and the permissions allow; the disk's are of the folder `files`. */
export function hostSensors(files: string, traffic: () => Traffic): Sensor[] {
  const sensors: Sensor[] = [];
  type Id = typeof hostSensorIds[number];
  const add = (id: Id, unit: string, description: string, interval: number, read: Sensor["read"]) =>
    sensors.push({ id, unit, description, interval, timeout: interval, read });

  if (allowed("cpus") && os.cpus().length > 0) add("cpu", "%", "CPU use, all cores", 1_000, cpuSensor());
  if (allowed("loadavg") && Deno.build.os !== "windows") {
    add("load", "", "load average over one minute", 5_000, () => round(Deno.loadavg()[0]));
  }
  if (allowed("systemMemoryInfo")) {
    add("memory", "%", "memory in use", 2_000, () => {
      const { total, available } = Deno.systemMemoryInfo();
      return round((total - available) / total * 100);
    });
    add("memory-available", "B", "memory available", 2_000, () => Deno.systemMemoryInfo().available);
  }
  if (allowed("statfs") && granted({ name: "read", path: files })) {
    add("disk", "%", "disk in use, where --files is", 10_000, async () => {
      const { blocks, bfree, bavail } = await statfs(files);
      // As df counts: what only root may use is neither free nor in use.
      return round((blocks - bfree) / (blocks - bfree + bavail) * 100);
    });
    add("disk-free", "B", "disk space free, where --files is", 10_000, async () => {
      const { bavail, bsize } = await statfs(files);
      return bavail * bsize;
    });
  }
  add("server-memory", "B", "memory of the server (resident)", 2_000, () => Deno.memoryUsage().rss);
  add("server-heap", "B", "JavaScript heap of the server in use", 2_000, () => Deno.memoryUsage().heapUsed);
  add("requests", "/s", "requests answered", 1_000, rate(() => traffic().requests));
  add("sent", "B/s", "bytes sent in bodies", 1_000, rate(() => traffic().bytes));
  add("event-loop-delay", "ms", "longest delay of the event loop", 2_000, eventLoopDelay);
  return sensors;
}

const granted = (permission: Deno.PermissionDescriptor) =>
  Deno.permissions.querySync(permission).state === "granted";
const allowed = (kind: Deno.SysPermissionDescriptor["kind"]) => granted({ name: "sys", kind });

/** Two decimals: the rest is noise. */
const round = (value: number) => Math.round(value * 100) / 100;

/** Times that each core has been busy since the host started, in ms. */
export interface CpuTimes {
  /** When that was, by `performance.now()`. */
  time: number;
  cores: Pick<os.CpuInfo["times"], "user" | "nice" | "sys" | "irq">[];
}

/**
 * CPU use between two looks, in percent. The times lack soft interrupts, time stolen by the hypervisor and waiting for the
 * disk, which are no use, so they do not add up to the whole: the clock gives that.
 */
export function cpuUse(last: CpuTimes, now: CpuTimes): number {
  const busy = ({ cores }: CpuTimes) =>
    cores.reduce((sum, { user, nice, sys, irq }) => sum + user + nice + sys + irq, 0);
  const whole = (now.time - last.time) * now.cores.length;
  const percent = whole > 0 ? (busy(now) - busy(last)) / whole * 100 : 0;
  return round(Math.min(100, Math.max(0, percent)));
}

/** CPU use since the last read; the first read takes 200 ms. */
function cpuSensor(): Sensor["read"] {
  const look = () => ({ time: performance.now(), cores: os.cpus().map(({ times }) => times) });
  let last: CpuTimes | null = null;
  return async (signal) => {
    const from = last ?? look();
    if (last === null) await sleep(200, signal);
    last = look();
    return cpuUse(from, last);
  };
}

/** Growth of a counter a second, since the last read. */
function rate(counter: () => number): Sensor["read"] {
  let last = { count: counter(), time: performance.now() };
  return () => {
    const { count, time } = last;
    last = { count: counter(), time: performance.now() };
    return round((last.count - count) / Math.max(0.001, (last.time - time) / 1_000));
  };
}

/** Longest delay of a timer within 1.2 s, in ms: the event loop was busy for as long. */
async function eventLoopDelay(signal: AbortSignal): Promise<number> {
  const step = 30;
  const end = performance.now() + 1_200;
  let worst = 0;
  for (let start = performance.now(); start < end; start = performance.now()) {
    await sleep(step, signal);
    worst = Math.max(worst, performance.now() - start - step);
  }
  return round(worst);
}
