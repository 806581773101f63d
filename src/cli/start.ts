// `bucketrider start`: runs a broker until it is told to stop, or until the command after `--` has ended. Standard output
// carries what people and scripts wait for, standard error the broker's log.
import { readFile } from 'node:fs/promises';
import { flushCompileCache } from 'node:module';
import { constants } from 'node:os';
import { assembleBroker, type RunningBroker } from '../assemble/start-broker.ts';
import { threadFile } from '../assemble/thread-file.ts';
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import { MemoryDisk } from '../base/memory/disk.ts';
import { makeCompute } from '../base/real/compute.ts';
import { makeRealEnv } from '../base/real/env.ts';
import { makeThreads } from '../base/real/threads.ts';
import { CommandError, exitCodes } from './exit-codes.ts';
import { giveGarbageRoom } from './garbage-room.ts';
import { lazyLogger, type LazyLogger } from './lazy-logger.ts';
import { bannerLines, bootstrapOf, howCalled } from './start-banner.ts';
import { StopRequests } from './signals.ts';
import { runCommand, type RunningCommand } from './start-child.ts';
import { absoluteDirectories, parseTopicFlag, readStartSettings, type StartFlags, type WantedTopic } from './start-settings.ts';

/** Returns the exit code once the broker has stopped. */
export async function start(flags: StartFlags, command: readonly string[]): Promise<number> {
  const topics = (flags.topic ?? []).map(parseTopicFlag);
  const settings = await readStartSettings(flags, { environment: process.env, readFile: (path) => readFile(path) });
  const log = lazyLogger(settings.config['log.level'], async () => {
    const { makeLogger } = await import('./logger.ts');
    return makeLogger({ level: settings.config['log.level'], pretty: process.stderr.isTTY });
  });
  for (const { level, message } of settings.notices) log[level === 'warning' ? 'warn' : 'info'](message);

  const fail = failer(log, flags.memory ?? false);
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  const env = makeEnv({ inMemory: flags.memory ?? false, onThrown: fail });
  const running = await assembleBroker({
    env,
    levels: { static: absoluteDirectories(settings) },
    log,
    onFailed: fail,
  });
  try {
    await createTopics(running, topics, log);
  } catch (thrown) {
    await running.stop();
    throw thrown;
  }

  giveGarbageRoom(env.memoryLimitBytes);
  const child = command.length === 0 ? undefined : runCommand(command, bootstrapOf(running));
  const toldToStop = untilToldToStop(child); // listens to signals from before anybody is told that it is ready
  announce(running, flags, child !== undefined);
  // A broker that is killed later never gets to keep its compiled code for the next start.
  setTimeout(() => flushCompileCache(), 1000).unref();
  const code = await toldToStop;
  await running.stop();
  return code;
}

function makeEnv({ inMemory, onThrown }: { inMemory: boolean; onThrown: (thrown: unknown) => void }): Env {
  const env = makeRealEnv({ compute: makeCompute(), onThrown, threads: makeThreads(threadFile) });
  return inMemory ? { ...env, files: new MemoryDisk({ clock: env }).mount() } : env;
}

/** Ends the process: no orderly end can be trusted once a promise is broken or the disk is gone. */
function failer(log: LazyLogger, inMemory: boolean): (thrown: unknown) => void {
  return (thrown) => {
    log.flushNow();
    process.stderr.write(`bucketrider: the broker failed and has stopped: ${messagesOf(thrown).join(': ')}\n`);
    if (!inMemory) process.stderr.write('  what it acknowledged is kept as promised; look at the cause, then start it again\n');
    process.exit(exitCodes.failure);
  };
}

/** The message of what was thrown, and of its causes. */
function messagesOf(thrown: unknown): string[] {
  if (!(thrown instanceof Error)) return ['something that is no error was thrown'];
  const causes = thrown.cause instanceof Error ? messagesOf(thrown.cause) : [];
  return [thrown.message, ...causes.filter((cause) => !thrown.message.includes(cause))];
}

/** A topic that is there already is as good as made, so that the same command can be given again. */
async function createTopics({ broker }: RunningBroker, wanted: readonly WantedTopic[], log: Logger): Promise<void> {
  if (wanted.length === 0) return;
  const outcomes = await broker.topics.create(
    wanted.map(({ name, partitionCount, configs }) => ({ name, partitionCount, configs, replicationFactor: -1, assignments: [] })),
    { validateOnly: false },
  );
  for (const [at, { name, partitionCount }] of wanted.entries()) {
    const outcome = outcomes[at];
    if (outcome === undefined || 'created' in outcome) continue;
    if (outcome.refused.errorName !== 'TOPIC_ALREADY_EXISTS')
      throw new CommandError(exitCodes.usage, 'topic-refused', `--topic ${name}: ${outcome.refused.message}`);
    const there = broker.image.findTopic(name)?.partitions.length;
    if (partitionCount !== -1 && there !== partitionCount)
      log.warn('a topic of --topic is there already, with another number of partitions', { topic: name, partitions: there });
  }
}

function announce(running: RunningBroker, flags: StartFlags, forCommand: boolean): void {
  const lines = bannerLines({ running, inMemory: flags.memory ?? false, readyMs: performance.now(), callAs: howCalled(process.env) });
  // Standard output belongs to the command where there is one.
  if (forCommand) process.stderr.write(`${lines.slice(0, lines.indexOf('')).join('\n')}\n`);
  else process.stdout.write(`${[...lines, `ready ${bootstrapOf(running)}`].join('\n')}\n`);
}

/**
 * Resolves with the exit code when a signal asks for the end, or when the command has ended. The second signal does not
 * wait for anything.
 */
function untilToldToStop(child: RunningCommand | undefined): Promise<number> {
  const asked = Promise.withResolvers<number>();
  const requests = new StopRequests();
  const onSignal = (signal: NodeJS.Signals): void => {
    const asks = requests.heard(performance.now());
    if (asks === 'echo') return;
    if (asks === 'again') {
      child?.kill('SIGKILL');
      process.exit(128 + constants.signals[signal]);
    }
    if (child === undefined) asked.resolve(exitCodes.ok);
    else if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal); // a terminal tells the command itself
    if (process.stderr.isTTY) process.stderr.write('\nstopping; once more to end at once\n');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return child === undefined ? asked.promise : child.exitCode;
}
