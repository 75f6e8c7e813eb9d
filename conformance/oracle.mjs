// Lines of JSON in, lines of JSON out: a simulation for @cloud-copilot/iam-simulate, and its verdict.
// argv[2] is the folder that npm installed into; the module is resolved from there.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const { resolve } = createRequire(process.argv[2] + '/')
const { runSimulation } = await import(pathToFileURL(resolve('@cloud-copilot/iam-simulate')))

for await (const line of createInterface({ input: process.stdin })) {
  let verdict
  try {
    const found = await runSimulation(JSON.parse(line), { simulationMode: 'Strict' })
    verdict =
      found.resultType === 'single'
        ? { result: found.overallResult, ignored: found.result.ignoredContextKeys ?? [] }
        : { error: JSON.stringify(found.errors ?? found.resultType) }
  } catch (error) {
    verdict = { error: String(error.stack ?? error) }
  }
  process.stdout.write(JSON.stringify(verdict) + '\n')
}
