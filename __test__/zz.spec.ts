import test from 'ava'
import { setTimeout as sleep } from 'node:timers/promises'
import { MapIterator, type MapOptions } from '../src/map-iterator.js'
import { LocalChunks } from './helpers/executors.js'
import { collectUntil } from './helpers/futures.js'
for (const chunksize of [1,4,'auto'] as const) test('x'+chunksize, async (t) => {
    const seen: WeakRef<object>[] = []
    const source = new LocalChunks((item: any) => {
      if (item.index % 2 === 1) throw new Error('odd')
      return { item: item.index }
    })
    source.chunks.push = () => 0
    source.futures.push = () => 0
    const iterator = MapIterator.start<any>(
      source as any,
      (function* (): Generator<any> {
        for (let index = 0; index < 8; index++) {
          const item = { index }
          if (index < 2) seen.push(new WeakRef(item))
          yield item
        }
      })(),
      { chunksize },
    )
    seen.push(new WeakRef((await iterator.next()).value!))
    seen.push(
      await iterator.next().then(
        () => new WeakRef({}),
        (error: Error) => new WeakRef(error),
      ),
    )
    for (let i=0;i<10;i++) { let n=0; await Promise.race([collectUntil(() => n++ > 3), sleep(300)]); console.log(chunksize, seen.map(s=>s.deref()===undefined).join()) }
    t.pass()
})
