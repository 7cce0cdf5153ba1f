/**
 * The environment, checked completely at start (API.md, section 8).
 *
 * @module
 */
import { accessKeyFault } from "../access.ts";
import { type EngineName, ENGINES } from "../engine/engine_name.ts";
import { type LimitName, LIMITS, type Limits } from "../limits.ts";
import { PUBLIC_HUB } from "../sources/hub.ts";
import { LOG_LEVELS, type LogLevel } from "../log.ts";
import { redact } from "../redact.ts";
import { allowEntryFault } from "../sources/source_policy.ts";
import { unknownSettings } from "./unknown_settings.ts";

/** What the operator decides. */
export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** SHA-256 of the accepted bearer keys, lower-case hexadecimal, each with `:scope+scope` if it is
   * restricted; empty: no key is asked for. */
  readonly keys: readonly string[];
  /** Whether only requests to a loopback name are answered: so without keys, except at the edge. */
  readonly loopbackOnly: boolean;
  /** Origins whose pages may call the service; empty: none, `*`: all. */
  readonly cors: readonly string[];
  /** Folder of the store, or undefined to keep everything in memory. */
  readonly data: string | undefined;
  /** Folder of `path` sources, or undefined to refuse them. */
  readonly files: string | undefined;
  /** Hosts that URL sources may name, see `checkSourceUrl`. */
  readonly sourceHosts: readonly string[];
  /** Base address of the hub, without a slash at its end. */
  readonly hub: string;
  /** Sent to the hub as a bearer token, or undefined. */
  readonly hubToken: string | undefined;
  /** Limit of a request's uploads in bytes. */
  readonly maximumUpload: number;
  /** Limit of the memory store in bytes. */
  readonly memory: number;
  /** Engine threads; 0 runs it on the main thread. */
  readonly workers: number;
  /** Elements per chunk. */
  readonly chunkElements: number;
  /** Whether jobs run by themselves, or only while somebody reads their events. */
  readonly jobs: typeof DRIVERS[number];
  /** Bytes of a job's result after which what is there is made durable. */
  readonly jobFlush: number;
  /** Bytes on the disk that a merge of sources by URL may use meanwhile. */
  readonly spill: number;
  /** What graphs of merges run on. */
  readonly engine: EngineName;
  /** How much the log tells. */
  readonly log: LogLevel;
  /** All limits, those above included. */
  readonly limits: Limits;
}

/**
 * `auto` and `fused`: the fused engine wherever it knows all that a graph uses (it is the faster one there), else
 * ONNX Runtime on WebAssembly. `auto` takes a GPU for what it measured to be faster there.
 */

/** The environment is wrong; the message has a line per fault. */
export class ConfigError extends Error {
  constructor(faults: readonly string[]) {
    super(faults.join("\n"));
    this.name = "ConfigError";
  }
}

const DRIVERS = ["background", "listener"] as const;
const NO_KEYS = "the SHA-256 of at least one key as 64 hexadecimal digits";
const BLOCK = 4096;
const LOOPBACK = /^(?:127\.\d+\.\d+\.\d+|::1|\[::1\]|localhost)$/;
/** The public hub, and where it sends the bytes of large files from. */
const PUBLIC_HOSTS = "huggingface.co,*.huggingface.co,*.hf.co";

/** What the host says of itself. */
export interface HostFacts {
  /** Number of processors. */
  readonly processors: number;
  /** Whether there is a disk that lasts and workers (not so on Deno Deploy). */
  readonly edge: boolean;
  /** Bytes of memory of the machine, where it tells. */
  readonly memory?: number;
}

/**
 * Reads the configuration. A name that looks like a setting and is none is a fault as well.
 *
 * @throws {ConfigError} With every fault, one a line.
 */
export function readConfig(
  environment: Readonly<Record<string, string | undefined>>,
  facts: HostFacts,
): Config {
  const faults: string[] = [];
  const known = new Set<string>();
  const value = (name: string) => {
    known.add(name);
    return environment[name]?.trim() || undefined;
  };
  const whole = (name: string, fallback: number, minimum: number, maximum: number, unit = 1) => {
    const text = value(name);
    if (text === undefined) return fallback;
    const number = /^\d+$/.test(text) ? Number(text) : NaN;
    if (number >= minimum && number <= maximum && number % unit === 0) {
      return number;
    }
    const multiple = unit > 1 ? `, a multiple of ${unit}` : "";
    faults.push(
      `${name} must be an integer from ${minimum} to ${maximum}${multiple}: current value is ${text}`,
    );
    return fallback;
  };
  const size = (name: string, fallback: number, minimum: number, maximum: number) => {
    const text = value(name);
    if (text === undefined) return fallback;
    const bytes = minimum === 0 && text === "0" ? 0 : parseSize(text);
    if (bytes === undefined) {
      faults.push(
        `${name} must be a number of bytes such as 512M or 64G: current value is ${text}`,
      );
    } else if (bytes < minimum || bytes > maximum) {
      faults.push(
        `${name} must be from ${minimum} to ${maximum} bytes: current value is ${text}`,
      );
    }
    return bytes ?? fallback;
  };

  const host = value("HOST") ?? "127.0.0.1";
  const list = (text: string) =>
    text.toLowerCase().split(",").map((entry) => entry.trim()).filter((entry) => entry !== "");
  const asked = value("AMALGAM_KEYS") !== undefined;
  const keys = list(value("AMALGAM_KEYS") ?? "");
  // Without the value: somebody may have written a key instead of its digest.
  const keyFault = asked && keys.length === 0 ? NO_KEYS : keys.map(accessKeyFault).find(Boolean);
  if (keyFault !== undefined) faults.push(`AMALGAM_KEYS must list ${keyFault}`);
  const cors = list(value("AMALGAM_CORS") ?? "");
  for (const origin of cors) {
    if (origin !== "*" && (!/^https?:/.test(origin) || URL.parse(origin)?.origin !== origin)) {
      faults.push(
        `AMALGAM_CORS must list origins such as https://app.example.org: current value is ${
          redact(origin)
        }`,
      );
    }
  }
  if (!asked && !facts.edge && !LOOPBACK.test(host)) {
    faults.push(
      `HOST must be a loopback address as long as AMALGAM_KEYS is not set: current value is ${host}`,
    );
  }
  const hub = (value("AMALGAM_HUB") ?? PUBLIC_HUB).replace(/\/+$/, "");
  if (!isBaseAddress(hub)) {
    // Without the value, which may hold credentials.
    faults.push(
      "AMALGAM_HUB must be an http or https address without credentials, query and fragment",
    );
  }
  const hubToken = value("AMALGAM_HUB_TOKEN");
  if (hubToken !== undefined && !/^[\x21-\x7e]+$/.test(hubToken)) {
    faults.push("AMALGAM_HUB_TOKEN must be a token of printable ASCII characters without spaces");
  }
  const sourceHosts = list(value("AMALGAM_SOURCE_HOSTS") ?? defaultHosts(hub));
  for (const entry of sourceHosts) {
    const fault = allowEntryFault(entry);
    if (fault) {
      faults.push(`AMALGAM_SOURCE_HOSTS: each entry ${fault}: current value is ${redact(entry)}`);
    }
  }
  const workers = whole("AMALGAM_WORKERS", facts.edge ? 0 : Math.min(facts.processors, 8), 0, 64);
  const fallbacks: Partial<Record<LimitName, number>> = {
    running: Math.max(LIMITS.running.fallback, 2 * workers),
    memory: Math.max(LIMITS.memory.fallback, Math.floor((facts.memory ?? 0) / 2)),
  };
  const limits = Object.fromEntries(
    (Object.keys(LIMITS) as LimitName[]).map((name) => {
      const { variable, unit, fallback, minimum, maximum } = LIMITS[name];
      const read = unit.startsWith("bytes") ? size : whole;
      return [name, read(variable, fallbacks[name] ?? fallback, minimum, maximum)];
    }),
  ) as Record<LimitName, number>;
  const named = value("AMALGAM_ENGINE") ?? "auto";
  const engine = ENGINES.find((each) => each === named);
  if (!engine) {
    faults.push(
      `AMALGAM_ENGINE must be one of ${ENGINES.join(", ")}: current value is ${named}`,
    );
  }
  const told = value("AMALGAM_LOG") ?? "info";
  const log = LOG_LEVELS.find((each) => each === told);
  if (!log) {
    faults.push(`AMALGAM_LOG must be one of ${LOG_LEVELS.join(", ")}: current value is ${told}`);
  }
  // Where no request is open, nothing runs on at the edge.
  const driver = value("AMALGAM_JOBS") ?? (facts.edge ? "listener" : "background");
  const jobs = DRIVERS.find((each) => each === driver);
  if (!jobs) {
    faults.push(`AMALGAM_JOBS must be one of ${DRIVERS.join(", ")}: current value is ${driver}`);
  }
  const data = value("AMALGAM_DATA") ?? (facts.edge ? "memory:" : ".amalgam");
  const config: Config = {
    host,
    port: whole("PORT", 8000, 0, 65535),
    keys,
    data: data === "memory:" ? undefined : data,
    files: value("AMALGAM_FILES"),
    sourceHosts,
    hub,
    hubToken,
    loopbackOnly: !asked && !facts.edge,
    cors,
    limits,
    maximumUpload: limits.upload,
    memory: limits.memory,
    workers,
    chunkElements: whole("AMALGAM_CHUNK", 2 ** 18, BLOCK, 2 ** 24, BLOCK),
    jobs: jobs ?? "background",
    jobFlush: size("AMALGAM_JOB_FLUSH", 64 * 2 ** 20, 1, Number.MAX_SAFE_INTEGER),
    spill: size("AMALGAM_SPILL", 4 * 2 ** 30, 0, Number.MAX_SAFE_INTEGER),
    engine: engine ?? "auto",
    log: log ?? "info",
  };
  // By now every setting was asked for.
  faults.push(...unknownSettings(environment, known));
  if (faults.length > 0) throw new ConfigError(faults);
  return config;
}

function isBaseAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username + url.password === "" &&
    !/[?#]/.test(text);
}

/** The public hub's hosts, and the operator's own hub by its address and port, so that it may be private. */
function defaultHosts(hub: string): string {
  const url = URL.parse(hub);
  if (hub === PUBLIC_HUB || !url) return PUBLIC_HOSTS;
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return `${PUBLIC_HOSTS},${url.hostname}:${port}`;
}

/** A number of bytes with an optional suffix K, M, G or T (powers of 1024), or undefined. */
export function parseSize(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text);
  if (!found) return undefined;
  const power = " KMGT".indexOf((found[2] || " ").toUpperCase());
  const bytes = Math.floor(Number(found[1]) * 1024 ** power);
  return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
}
