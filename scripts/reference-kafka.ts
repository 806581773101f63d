// Starts Apache Kafka itself, from its jars, so that a test can be proved against the original before our broker is
// put in its place. Takes the same flags and prints the same `ready` line as `bucketrider start`, so whatever drives
// one drives the other. For use by hand; nothing in CI needs a JVM.
//
//   node scripts/reference-kafka.ts start --port 0 --data DIR [--set key=value ...]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';

const kafkaVersion = '4.2.1';
/** Outside the checkout: 43 MB of jars that survive `git clean` and are shared by all work trees. */
const jars = join(process.env['BUCKETRIDER_CACHE'] ?? join(homedir(), '.cache', 'bucketrider'), `kafka-${kafkaVersion}`);
const clusterId = 'bucketriderReferenceAA';
const readyTimeoutMs = 60_000;

/** slf4j-simple: Kafka's jars bring the logging interface but nothing that prints. */
const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>kafka-jars</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

function ensureJars(): void {
  if (existsSync(jars)) return;
  const unfinished = `${jars}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  writeFileSync(join(unfinished, 'pom.xml'), pom);
  const goal = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${unfinished}`, '-DincludeScope=runtime'];
  const outcome = spawnSync('mvn', goal, { cwd: unfinished, stdio: ['ignore', process.stderr, 'inherit'] });
  if (outcome.status !== 0) throw new Error(`mvn could not fetch Kafka's jars (${String(outcome.error ?? outcome.status)})`);
  renameSync(unfinished, jars); // whole or not at all: a broken download must not look like a cache
}

/** A port that was free a moment ago; Kafka cannot tell which one it took when asked for port 0. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

const { values: flags } = parseArgs({
  allowPositionals: true, // `start`, the one command there is
  options: { port: { type: 'string', default: '0' }, data: { type: 'string' }, set: { type: 'string', multiple: true, default: [] } },
});
if (flags.data === undefined) throw new Error('--data DIR says where Kafka keeps its log');
const data = resolve(flags.data);
const port = Number(flags.port) || (await freePort());
const controllerPort = await freePort();

const settings: Record<string, string> = {
  'process.roles': 'broker,controller',
  'node.id': '1',
  'controller.quorum.voters': `1@localhost:${controllerPort}`,
  'controller.listener.names': 'CONTROLLER',
  listeners: `PLAINTEXT://localhost:${port},CONTROLLER://localhost:${controllerPort}`,
  'advertised.listeners': `PLAINTEXT://localhost:${port}`,
  'log.dirs': join(data, 'log'),
  'offsets.topic.replication.factor': '1',
  'offsets.topic.num.partitions': '5',
  'transaction.state.log.replication.factor': '1',
  'transaction.state.log.min.isr': '1',
  'transaction.state.log.num.partitions': '5',
  'share.coordinator.state.topic.replication.factor': '1',
  'share.coordinator.state.topic.min.isr': '1',
  'group.initial.rebalance.delay.ms': '0',
};
for (const pair of flags.set) {
  const equals = pair.indexOf('=');
  if (equals < 1) throw new Error(`--set takes key=value, not ${pair}`);
  settings[pair.slice(0, equals)] = pair.slice(equals + 1);
}

ensureJars();
mkdirSync(data, { recursive: true });
const propertiesFile = join(data, 'server.properties');
writeFileSync(
  propertiesFile,
  Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join(''),
);

/** Kafka's own names for it; unset, a machine that only runs a few tests: quick to start and small. */
const jvmFlags = (name: string, otherwise: string): string[] => (process.env[name] ?? otherwise).split(' ').filter(Boolean);

const java = (main: string, ...args: string[]): string[] => [
  ...jvmFlags('KAFKA_HEAP_OPTS', '-Xmx512m'),
  ...jvmFlags('KAFKA_JVM_PERFORMANCE_OPTS', '-XX:+UseSerialGC -XX:TieredStopAtLevel=1'),
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info',
  '-Dorg.slf4j.simpleLogger.log.kafka.server.BrokerServer=info',
  '-cp',
  join(jars, '*'),
  main,
  ...args,
];

if (!existsSync(join(data, 'log', 'meta.properties'))) {
  const format = java('kafka.tools.StorageTool', 'format', '-t', clusterId, '-c', propertiesFile);
  const outcome = spawnSync('java', format, { encoding: 'utf8' });
  if (outcome.status !== 0) throw new Error(`kafka-storage format failed: ${outcome.stdout}${outcome.stderr}`);
}

const logFile = join(data, 'kafka.log');
rmSync(logFile, { force: true });
const kafka = spawn('java', java('kafka.Kafka', propertiesFile), { stdio: ['ignore', 'ignore', 'pipe'] });
const tooLate = setTimeout(() => kafka.kill('SIGKILL'), readyTimeoutMs);

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => kafka.kill('SIGTERM'));
process.on('exit', () => kafka.kill('SIGKILL'));

let asked = false;
createInterface({ input: kafka.stderr }).on('line', (line) => {
  writeFileSync(logFile, `${line}\n`, { flag: 'a' });
  if (asked || !line.includes('Kafka Server started')) return;
  asked = true;
  clearTimeout(tooLate);
  process.stdout.write(`ready localhost:${port}\n`);
});
kafka.on('error', (error) => {
  throw new Error('java is needed to run Kafka', { cause: error });
});
kafka.on('exit', (code, signal) => {
  clearTimeout(tooLate);
  if (!asked) process.stderr.write(readFileSync(logFile, { encoding: 'utf8', flag: 'a+' }));
  // 143: the JVM's answer to SIGTERM after its shutdown hooks have run, which is a clean stop.
  process.exitCode = code === 143 || code === 0 ? 0 : 1;
  if (signal !== null) process.stderr.write(`Kafka was ended by ${signal}\n`);
});
