// Starts the service, and ends it in order at SIGTERM and SIGINT.

import { makeService } from './service.js'

const { server, close } = makeService()
server.listen(Number(process.env.PORT ?? 3000), () => {
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : address
  console.log(`http://localhost:${port}/digest?text=hello&rounds=100000`)
})

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, close)
