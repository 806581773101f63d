// The start of an embedded broker: assembled as the program assembles it, in the environment it is given. Several may run
// at once; they share nothing. Loaded with the first start, for it brings the whole broker with it.
import { assembleBroker, type RunningBroker } from '../assemble/start-broker.ts';
import { Metrics } from '../base/metrics.ts';
import { makeCompute } from '../base/real/compute.ts';
import { DirectoryLockedError } from '../storage/dir-lock.ts';
import type { BrokerOptions } from './api.ts';
import { Changes } from './changes.ts';
import { CLOSE_AFTER_FAILURE_MS, EmbeddedBroker, settledWithin } from './embedded-broker.ts';
import type { makeEmbeddedEnv } from './environment.ts';
import { BrokerStartError, BucketriderError } from './errors.ts';
import { embeddedLogger } from './logger.ts';
import { prepareOptions, type PreparedOptions } from './options.ts';

/**
 * @throws BrokerStartError when it cannot start, InvalidArgumentError, or the reason of `signal`; nothing is left running then
 */
export async function startEmbedded(options: BrokerOptions, makeEnv: typeof makeEmbeddedEnv): Promise<EmbeddedBroker> {
  const { directory, topics, settings } = await prepareOptions(options);
  const { signal, unref = false } = options;
  const log = embeddedLogger(options.logger, settings.config['log.level']);
  for (const { level, message } of settings.notices) log[level === 'warning' ? 'warn' : 'info'](message);

  const started: { broker?: EmbeddedBroker } = {};
  const failure = Promise.withResolvers<never>();
  failure.promise.catch(() => undefined); // it is raced below, and nobody waits for it later
  const fail = (cause: unknown): void => {
    if (started.broker === undefined) failure.reject(cause instanceof Error ? cause : new Error(String(cause)));
    else started.broker.fail(cause);
  };
  const env = await makeEnv({ directory, unref, onThrown: fail, compute: makeCompute() });
  const metrics = new Metrics();
  const changes = new Changes();
  const assembling = assembleBroker({
    env: unref ? { ...env, timer: (ms, run) => env.timer(ms, run, { unref: true }) } : env,
    levels: { static: settings.texts },
    log,
    metrics,
    volatile: directory === undefined,
    onMetadata: () => changes.tell(),
    onFailed: fail,
  });
  let running: RunningBroker;
  try {
    // Raced, since what waits for a commit may wait for ever once the broker has found itself broken.
    running = await Promise.race([assembling, failure.promise]);
    await Promise.race([ensureTopics(running, topics), failure.promise]);
    signal?.throwIfAborted();
  } catch (thrown) {
    await settledWithin(
      env,
      CLOSE_AFTER_FAILURE_MS,
      assembling.then((broken) => broken.stop({ graceMs: 0 })),
    );
    throw startError(thrown, signal);
  }
  started.broker = new EmbeddedBroker({
    running,
    // Its timers are those of waits that somebody awaits: they keep the process alive, whatever `unref` says.
    env,
    log,
    metrics,
    changes,
    host: hostToDial(running),
    dataDir: directory,
    signal,
    onFailed: options.onFailed,
  });
  return started.broker;
}

/** What a client in this process connects to. */
function hostToDial({ server }: RunningBroker): string {
  const host = server.listeners[0]?.host ?? null;
  return host === null || host === '0.0.0.0' || host === '::' ? 'localhost' : host;
}

async function ensureTopics({ broker: { image, topics } }: RunningBroker, wanted: PreparedOptions['topics']): Promise<void> {
  for (const { name, partitionCount } of wanted) {
    const there = image.findTopic(name)?.partitions.length;
    if (there !== undefined && partitionCount !== -1 && there !== partitionCount)
      throw new BrokerStartError(
        'INVALID_TOPIC',
        `topic '${name}' is there already, with ${there} partitions instead of ${partitionCount}`,
        {
          hint: 'Name it without a number to take it as it is.',
        },
      );
  }
  const missing = wanted.filter(({ name }) => image.findTopic(name) === undefined);
  if (missing.length === 0) return;
  const outcomes = await topics.create(missing, { validateOnly: false });
  const refused = outcomes.flatMap((outcome) => ('refused' in outcome ? outcome.refused : []));
  if (refused.length > 0)
    throw new BrokerStartError('INVALID_TOPIC', refused.map(({ message }) => message).join('\n'), { cause: refused[0] });
}

function startError(thrown: unknown, signal: AbortSignal | undefined): unknown {
  if (thrown instanceof BucketriderError || (signal?.aborted === true && thrown === signal.reason)) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new BrokerStartError(codeFor(thrown), `the broker did not start: ${message}`, { cause: thrown });
}

function codeFor(thrown: unknown): string {
  if (thrown instanceof DirectoryLockedError) return 'DIRECTORY_IN_USE';
  // EADDRINUSE, EACCES, ENOSPC, ... of the machine.
  const code: unknown = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
  return typeof code === 'string' ? code : 'START_FAILED';
}
