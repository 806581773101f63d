// kafka-python, written in Python from top to bottom.
import { resolve } from 'node:path';
import { memberArguments, type MemberCommand, type MemberOptions } from '../member.ts';
import { startRemoteDriver } from '../remote-driver.ts';
import { runSuite, suiteOrder } from '../suite.ts';
import { pythonOf } from '../python/environment.ts';

const order = suiteOrder();
const driver = resolve(import.meta.dirname, '../python/kafka_python_driver.py');
const member = resolve(import.meta.dirname, '../python/kafka_python_member.py');
const memberOf = (options: MemberOptions): MemberCommand => ({ program: pythonOf(), args: [member, ...memberArguments(options)] });
await runSuite(await startRemoteDriver(pythonOf(), [driver, order.brokers], memberOf), order);
