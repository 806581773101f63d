// confluent-kafka, that is librdkafka called from Python.
import { resolve } from 'node:path';
import { memberArguments, type MemberCommand, type MemberOptions } from '../member.ts';
import { startRemoteDriver } from '../remote-driver.ts';
import { runSuite, suiteOrder } from '../suite.ts';
import { pythonOf } from '../python/environment.ts';

const order = suiteOrder();
const driver = resolve(import.meta.dirname, '../python/confluent_kafka_driver.py');
const member = resolve(import.meta.dirname, '../python/confluent_member.py');
const memberOf = (options: MemberOptions): MemberCommand => ({ program: pythonOf(), args: [member, ...memberArguments(options)] });
await runSuite(await startRemoteDriver(pythonOf(), [driver, order.brokers], memberOf), order);
