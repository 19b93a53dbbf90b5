// duck.js: answers one query after the other with DuckDB.
//
// Reads lines of {"sql": text, "quiet": true} from stdin; prints the rows of each as
// psql -At would, or only counts them, then "END".

const {DuckDBInstance} = require('@duckdb/node-api');
const readline = require('readline');

const text = (value) => value === null ? '' : value === true ? 't' : value === false ? 'f' : String(value);

(async () => {
  const db = await (await DuckDBInstance.create(':memory:')).connect();
  for await (const line of readline.createInterface({input: process.stdin})) {
    const {sql, quiet} = JSON.parse(line);
    if (quiet) {
      const result = await db.stream(sql);
      let n = 0;
      for (let chunk; (chunk = await result.fetchChunk()) && chunk.rowCount > 0;) n += chunk.rowCount;
      console.log(n);
    } else {
      const reader = await db.runAndReadAll(sql);
      for (const row of reader.getRows()) console.log(row.map(text).join('|'));
    }
    console.log('END');
  }
})().catch((error) => { console.error(String(error)); process.exit(1); });
