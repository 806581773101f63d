// confluent-kafka, that is librdkafka called from Python.
import { resolve } from 'node:path';
import { startRemoteDriver } from '../remote-driver.ts';
import { runSuite, suiteOrder } from '../suite.ts';
import { pythonOf } from '../python/environment.ts';

const order = suiteOrder();
const driver = resolve(import.meta.dirname, '../python/confluent_kafka_driver.py');
await runSuite(await startRemoteDriver(pythonOf(), [driver, order.brokers]), order);
