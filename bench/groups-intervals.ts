// Rebalances of large groups under both protocols, and what a heartbeat costs. Everything runs in one process, over a disk and a network in
// memory: times are of the members' clock (heartbeat intervals, rounds of joining), costs are processor time of broker and members together,
// so neither depends on what else the machine does.
//   npm run bench -- --only groups-intervals, or node bench/groups-intervals.ts [MEMBERS ...]
import { startTestBroker, type TestBroker } from '../src/assemble/broker.testing.ts';
import { SeededRandom } from '../src/base/memory/random.ts';
import type { Connection } from '../src/client/connection.ts';
import { ClassicConsumer } from '../src/handlers/classic-consumer.testing.ts';
import { ConsumerProtocolMember } from '../src/handlers/consumer-protocol-member.testing.ts';
import { createTopics } from '../src/handlers/topic-admin.testing.ts';
import { tell } from './alone.ts';

const TOPIC = 'orders';
const PARTITIONS_PER_MEMBER = 2;
/** What brokers and clients do where nobody says otherwise. */
const CONSUMER_HEARTBEAT_MS = 5000;
const CLASSIC_HEARTBEAT_MS = 3000;
const CHECKS_PER_SECOND = 10;
const HEARTBEATS = 20_000;

interface Member {
  isThere: boolean;
  readonly owned: ReadonlySet<string>;
  run(): Promise<void>;
  leave(): Promise<unknown>;
}

type Protocol = 'consumer' | 'classic, eager' | 'classic, cooperative';

class World {
  readonly broker: TestBroker;
  readonly partitions: number;
  readonly members: Member[] = [];
  readonly random = new SeededRandom(1);
  stopped = false;

  constructor(broker: TestBroker, partitions: number) {
    this.broker = broker;
    this.partitions = partitions;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resume) => this.broker.env.clock.timer(ms, resume));
  }

  /** Everything has an owner, and everybody has its share. */
  get isShared(): boolean {
    const sizes = this.members.map(({ owned }) => owned.size);
    const even = this.partitions / this.members.length;
    const sum = sizes.reduce((total, size) => total + size, 0);
    return sum === this.partitions && Math.max(...sizes) <= Math.ceil(even) && Math.min(...sizes) >= Math.floor(even);
  }

  async add(protocol: Protocol): Promise<Member> {
    const connection = await this.broker.connect();
    const member = protocol === 'consumer' ? consumer(this, connection) : classic(this, connection, protocol === 'classic, cooperative');
    this.members.push(member);
    void member.run().catch((error: unknown) => {
      if (!this.stopped) throw error;
    });
    return member;
  }

  /** Also tells how long it took, and what it cost. */
  async untilShared(what: string): Promise<string> {
    const { clock } = this.broker.env;
    const fromMs = clock.monotonicMs();
    const before = process.cpuUsage();
    do await clock.advanceMs(1000 / CHECKS_PER_SECOND);
    while (!this.isShared);
    const { user, system } = process.cpuUsage(before);
    const seconds = (clock.monotonicMs() - fromMs) / 1000;
    tell(`seconds: ${what}`, seconds);
    tell(`cpu ms: ${what}`, (user + system) / 1000);
    return `${seconds.toFixed(1).padStart(6)} s ${((user + system) / 1000).toFixed(0).padStart(7)} ms`;
  }
}

function consumer(world: World, connection: Connection): Member {
  const id = String(world.members.length).padStart(5, '0');
  const member = new ConsumerProtocolMember({ memberId: `member-${id}`, subscription: { names: [TOPIC], regex: null } });
  return {
    isThere: true,
    owned: member.owned,
    async run() {
      while (this.isThere && !world.stopped) {
        await member.heartbeat(connection);
        if (!member.hasToAcknowledge) await world.sleep(CONSUMER_HEARTBEAT_MS * (0.9 + world.random.next() / 10));
      }
    },
    leave() {
      this.isThere = false;
      return member.leave(connection);
    },
  };
}

function classic(world: World, connection: Connection, cooperative: boolean): Member {
  const member = new ClassicConsumer({ topics: [TOPIC], cooperative, sessionTimeoutMs: 45_000, rebalanceTimeoutMs: 300_000 });
  const counts = new Map([[TOPIC, world.partitions]]);
  const round = async (self: Member): Promise<void> => {
    if ((await member.join(connection)) !== 'NONE' || (await member.sync(connection, counts)) !== 'NONE') return;
    const letsGo = member.toLetGo.length > 0;
    member.take();
    if (letsGo) return;
    do await world.sleep(CLASSIC_HEARTBEAT_MS * (0.9 + world.random.next() / 10));
    while (self.isThere && !world.stopped && (await member.heartbeat(connection)) === 'NONE');
  };
  return {
    isThere: true,
    owned: member.owned,
    async run() {
      while (this.isThere && !world.stopped) await round(this);
    },
    leave() {
      this.isThere = false;
      return member.leave(connection);
    },
  };
}

/** Microseconds of processor time for a heartbeat that changes nothing, client and broker together. */
async function costOfHeartbeat({ broker }: World): Promise<number> {
  const connection = await broker.connect();
  const member = new ConsumerProtocolMember({ groupId: 'alone', memberId: 'alone', subscription: { names: [TOPIC], regex: null } });
  const { clock } = broker.env;
  while (member.isJoining || member.hasToAcknowledge) await clock.until(member.heartbeat(connection));
  let before = process.cpuUsage();
  for (let beat = 0; beat < 2 * HEARTBEATS; beat += 100) {
    if (beat === HEARTBEATS) before = process.cpuUsage();
    await clock.until(Promise.all(Array.from({ length: 100 }, () => member.send(connection))));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / HEARTBEATS;
}

const counts = process.argv.length > 2 ? process.argv.slice(2).map(Number) : [100, 1000];
console.log(`${'members'.padEnd(9)}${'protocol'.padEnd(24)}${'all come'.padEnd(22)}${'one joins'.padEnd(22)}one leaves`);
for (const count of counts) {
  for (const protocol of ['consumer', 'classic, eager', 'classic, cooperative'] as const) {
    const partitions = count * PARTITIONS_PER_MEMBER;
    const broker = await startTestBroker({ settings: { 'offsets.topic.num.partitions': '1' } });
    const world = new World(broker, partitions);
    await broker.env.clock.until(createTopics(broker, [{ name: TOPIC, partitions }]));
    const about = `${count.toLocaleString('en')} members, ${protocol}`;
    const figures: string[] = [];
    for (let nth = 0; nth < count; nth += 1) await world.add(protocol);
    figures.push(await world.untilShared(`${about}: all come`));
    const last = await world.add(protocol);
    figures.push(await world.untilShared(`${about}: one joins`));
    await broker.env.clock.advanceMs(10_000);
    world.members.pop();
    await broker.env.clock.until(last.leave());
    figures.push(await world.untilShared(`${about}: one leaves`));
    const cost = protocol === 'consumer' && count === counts[0] ? `   a heartbeat ${(await costOfHeartbeat(world)).toFixed(0)} us` : '';
    console.log(`${String(count).padEnd(9)}${protocol.padEnd(20)}${figures.map((figure) => figure.padEnd(22)).join('')}${cost}`);
    world.stopped = true;
    await broker.stop();
  }
}
if (process.connected) process.disconnect();
