// The formats and numbers on which two sides have to agree: JavaScript and native code, host and worker.

export { type BootPlan, decodeBootPlan, encodeBootPlan } from './boot-plan.js'
export { Committed, ForkRequest, Hold, HostFlag, Limits, Phase, Refused, Taken } from './codes.js'
export { CallRecord, Drained, Inbox, Journal, Register, ResultRecord, wide } from './records.js'
export { CallFlag, Earlier, ResultFlag, Status } from './status.js'
export { decodeDescriptor, encodeDescriptor, type TaskDescriptor } from './task-descriptor.js'
