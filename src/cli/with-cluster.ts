// Runs a command against a cluster: finds it, lets the command work, and lets go of everything, also when the person at
// the keyboard has had enough.
import { constants } from 'node:os';
import { codeOf } from '../base/posix-error.ts';
import { makeRealClock } from '../base/real/clock.ts';
import { makeRealNetwork } from '../base/real/network.ts';
import { Cluster } from '../client/cluster.ts';
import { readClientSettings, type ClientSettings, type GlobalFlags } from './client-flags.ts';
import { exitCodes } from './exit-codes.ts';
import { StopRequests } from './signals.ts';
import { version } from './version.ts';

export interface Session {
  readonly cluster: Cluster;
  readonly settings: ClientSettings;
  readonly flags: GlobalFlags;
  /** Aborts with Ctrl-C or SIGTERM; the second one ends the process. */
  readonly interrupted: AbortSignal;
  /** A line for the person, on standard error; nothing with --quiet. */
  readonly say: (line: string) => void;
}

/** A broker that accepts and then says nothing is given up sooner than a slow answer. */
const LONGEST_CONNECT_MS = 5000;

export interface WorkOptions {
  /** The command ends by itself when it is interrupted, in order; otherwise its connections are cut. */
  readonly endsItself?: boolean;
}

/** Returns what the command returned: its exit code, or that of an interruption. */
export async function withCluster(
  flags: GlobalFlags,
  work: (session: Session) => Promise<number>,
  options: WorkOptions = {},
): Promise<number> {
  const settings = readClientSettings(flags, process.env);
  const say = (line: string): void => {
    if (flags.quiet !== true) process.stderr.write(`${line}\n`);
  };
  if (settings.ignored.length > 0) say(`bucketrider: these properties mean nothing here: ${settings.ignored.join(', ')}`);
  const interrupted = new AbortController();
  let cluster: Cluster | undefined;
  /** The exit code, or what went wrong; what came first counts. */
  let outcome: number | Error | undefined;
  const requests = new StopRequests();
  const onSignal = (signal: NodeJS.Signals): void => {
    const asks = requests.heard(performance.now());
    if (asks === 'echo') return;
    if (cluster === undefined || asks === 'again') process.exit(128 + constants.signals[signal]);
    outcome = 128 + constants.signals[signal];
    interrupted.abort();
    if (options.endsItself !== true) cluster.close();
  };
  const onOutputError = (error: Error): void => {
    if (interrupted.signal.aborted) return;
    outcome = codeOf(error) === 'EPIPE' ? exitCodes.ok : error; // who read us has what it wanted (`| head`)
    interrupted.abort();
    if (options.endsItself !== true) cluster?.close();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  process.stdout.on('error', onOutputError);
  try {
    cluster = await connect(settings);
    const code = await work({ cluster, settings, flags, interrupted: interrupted.signal, say });
    outcome ??= code;
  } catch (thrown) {
    outcome ??= thrown instanceof Error ? thrown : new Error(String(thrown)); // what was cut off failed, as it had to
  } finally {
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
    cluster?.close();
  }
  if (outcome instanceof Error) throw outcome;
  return outcome;
}

function connect({ brokers, clientId, timeoutMs }: ClientSettings): Promise<Cluster> {
  return Cluster.connect({
    env: { ...makeRealClock(), network: makeRealNetwork() },
    brokers,
    clientId,
    software: { name: 'bucketrider', version },
    connectTimeoutMs: Math.min(LONGEST_CONNECT_MS, timeoutMs),
    timeoutMs,
  });
}
