// A member of a consumer group (KIP-848) that subscribes by a regular expression, against a broker in a process of its own: which
// topics it is given. No client library that we have sends one yet.
import { makeRealNetwork } from '../src/base/real/network.ts';
import { Connection } from '../src/client/connection.ts';
import { ConsumerProtocolMember } from '../src/handlers/consumer-protocol-member.testing.ts';
import { consumerGroupDescribeRequest, consumerGroupDescribeResponse } from '../src/protocol/messages/consumer-group-describe.ts';

const describe = { request: consumerGroupDescribeRequest, response: consumerGroupDescribeResponse };
/** The expression is looked up beside the heartbeat that brings it; a later one, and not a much later one, gives the topics. */
const MOST_HEARTBEATS = 200;

/** Names of topics, in order; or the refusal of the heartbeat with its reason. */
export async function topicsByRegex(bootstrap: string, regex: string): Promise<string[] | string> {
  const at = bootstrap.lastIndexOf(':');
  const address = { host: bootstrap.slice(0, at), port: Number(bootstrap.slice(at + 1)) };
  const connection = await Connection.connect({ network: makeRealNetwork(), ...address, clientId: 'by-regex' });
  try {
    const member = new ConsumerProtocolMember({ groupId: `by ${regex}`, memberId: 'anna', subscription: { names: [], regex } });
    for (let beat = 0; beat < MOST_HEARTBEATS; beat += 1) {
      const outcome = await member.heartbeat(connection);
      if (outcome === 'NONE' && member.owned.size === 0) continue;
      if (outcome !== 'NONE' && outcome !== 'COORDINATOR_NOT_AVAILABLE' && outcome !== 'COORDINATOR_LOAD_IN_PROGRESS')
        return `${outcome}: ${member.refusal}`;
      if (outcome === 'NONE') break;
    }
    const { groups } = await connection.request(describe, 1, { groupIds: [member.groupId], includeAuthorizedOperations: false });
    return (groups[0]?.members[0]?.assignment.topicPartitions ?? []).map(({ topicName }) => topicName).toSorted();
  } finally {
    connection.close();
  }
}
