// What actors of either protocol do alike in the model of groups: they connect to whatever broker there is, and die without a word.
import type { TestBroker } from '../assemble/broker.testing.ts';
import type { Connection } from '../client/connection.ts';
import type { Actor, ConsumerWorld } from './consumer-world.testing.ts';

export interface ConnectedActor extends Actor {
  connection: Connection | undefined;
}

/** Goes on with the next broker when one is killed or stopped, as any client does, for as long as the actor lives. */
export async function live(
  world: ConsumerWorld,
  actor: ConnectedActor,
  round: (connection: Connection, broker: TestBroker) => Promise<void>,
): Promise<void> {
  while (actor.alive) {
    const { broker } = world;
    try {
      const connection = await broker.connect();
      actor.connection = connection;
      while (actor.alive && world.broker === broker) await round(connection, broker);
      connection.close();
    } catch {
      // The broker was killed, or stopped: it tries again.
    }
    await world.sleep(200);
  }
}

/** Whoever comes back under its instance id may be told that the id is not free yet. */
export function die(world: ConsumerWorld, actor: ConnectedActor): void {
  actor.alive = false;
  world.letsGoOfAll(actor);
  if (actor.instanceId !== null) world.unreleased.add(actor.instanceId);
  actor.connection?.close();
}
