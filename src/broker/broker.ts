// One broker: what it is called, the metadata it serves from, the partitions it leads. Handlers reach everything
// through it; it knows nothing of sockets.
import type { Env } from '../base/env.ts';
import type { Logger } from '../base/log.ts';
import type { BrokerConfig, BrokerLevels } from '../config/broker-configs.ts';
import type { Configs } from './configs.ts';
import type { MetadataImage } from './image/metadata-image.ts';
import type { MetadataController } from './metadata-controller.ts';
import type { FetchSessions } from './fetch-sessions.ts';
import type { GroupCoordinator } from './groups/group-coordinator.ts';
import type { Partitions } from './partitions.ts';
import type { ProducerIds } from './producer-ids.ts';
import type { Topics } from './topics.ts';

export interface Broker {
  readonly env: Env;
  readonly log: Logger;
  /** In force now; clients may change some of it, so ask again rather than keep it. */
  readonly config: BrokerConfig;
  /** The same settings by where they come from, for those who ask. */
  readonly levels: BrokerLevels;
  readonly clusterId: string;
  readonly nodeId: number;
  readonly image: MetadataImage;
  readonly metadata: MetadataController;
  readonly topics: Topics;
  readonly configs: Configs;
  readonly partitions: Partitions;
  readonly producerIds: ProducerIds;
  readonly fetchSessions: FetchSessions;
  readonly groups: GroupCoordinator;
  /** Aborts when the broker begins to stop: whoever holds a request back answers it now. */
  readonly stopping: AbortSignal;
}
