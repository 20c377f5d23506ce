// Settings of the rehearsal's test runner.

export default { files: ['rehearsal/*.spec.mjs'], workerThreads: false, timeout: '5m' }
