// The same calls from Node: node undici.mjs MODULE request|dispatch URL IN_FLIGHT CALLS
// Prints calls a second and CPU microseconds a call, without Node's start.
import { pathToFileURL } from 'node:url'

const [module, how, url, inFlight, calls] = process.argv.slice(2)
const { Pool } = (await import(pathToFileURL(module))).default
const { origin } = new URL(url)
const pool = new Pool(origin, { connections: Number(inFlight), pipelining: 1 })
const headers = { 'content-type': 'application/json' }
let begun = 0, accepted = 0, failed = 0

// One person's attributes, and the JSON made of them.
function person(i) {
  return {
    id: `c${String(i).padStart(7, '0')}`, first_name: 'Ada', last_name: `Lovelace-${i % 1000}`,
    email: `ada.${i}@customers.example.com`, phone: `+4915550${String(i % 1000000).padStart(6, '0')}`,
    street: `${i % 97} Analytical Way`, city: 'Heidelberg', country: 'DE', plan: i % 3 ? 'plus' : 'free',
    score: String(i % 100), consent: i % 2 ? 'yes' : 'no',
  }
}

function contact(p) {
  return JSON.stringify({
    external_id: p.id, name: { first: p.first_name, last: p.last_name }, email: p.email, phone: p.phone,
    address: { street: p.street, city: p.city, country: p.country }, plan: p.plan ?? 'free', score: p.score,
    consent: p.consent === 'yes', tags: ['newcomer', p.country, p.plan],
  })
}

function decide(text) {
  if (JSON.parse(text).accepted) accepted++
  else failed++
}

const senders = {
  async request(body) {
    const answer = await pool.request({ path: '/contacts', method: 'POST', headers, body })
    decide(await answer.body.text())
  },
  dispatch(body) {
    return new Promise((resolve, reject) => {
      const chunks = []
      pool.dispatch({ path: '/contacts', method: 'POST', headers, body }, {
        onConnect() {},
        onHeaders() { return true },
        onData(chunk) { chunks.push(chunk); return true },
        onComplete() { decide(Buffer.concat(chunks).toString()); resolve() },
        onError: reject,
      })
    })
  },
}

async function one() {
  while (begun < Number(calls)) await senders[how](contact(person(++begun)))
}

const cpu = process.cpuUsage(), start = process.hrtime.bigint()
await Promise.all(Array.from({ length: Number(inFlight) }, one))
const seconds = Number(process.hrtime.bigint() - start) / 1e9, used = process.cpuUsage(cpu)
if (accepted !== Number(calls)) throw new Error(`${accepted} of ${calls} were accepted`)
console.log(calls / seconds, (used.user + used.system) / calls)
process.exit(0)
