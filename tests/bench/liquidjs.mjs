// The same template by npm's liquidjs, which escapes nothing: node liquidjs.mjs MODULE TIMES
// Prints CPU microseconds each, and the bytes of one.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

const [module, times] = process.argv.slice(2)
const { Liquid } = createRequire(import.meta.url)(module)
const engine = new Liquid({ timezoneOffset: 0 })
const data = JSON.parse(readFileSync('payload_data.json', 'utf8'))
const scope = { ...data.person, ...data.vars, person: data.person }
const template = engine.parse(readFileSync('payload.json', 'utf8'))

let text
for (let i = 0; i < times / 10; i++) text = engine.renderSync(template, scope)
const before = process.cpuUsage()
for (let i = 0; i < times; i++) text = engine.renderSync(template, scope)
const used = process.cpuUsage(before)
console.log(`${((used.user + used.system) / times).toFixed(3)}\t${Buffer.byteLength(text)}`)
