// Calls every function of the unmodified npm client that the server offers, and prints
// what it sent and got as one JSON document: { schemas, calls: [{ name, schema, status, body }] }.
// Usage: node calls.mjs http://127.0.0.1:PORT < world.json
import { readFileSync } from 'node:fs';
import * as motis from '@motis-project/motis-client';

const world = JSON.parse(readFileSync(0, 'utf-8'));
const { from, to, point, box, time, soon, text } = world;
const calls = [];

async function call(name, schema, options) {
  const { data, error, response } = await motis[name](options);
  calls.push({ name, schema, status: response.status, url: response.url, body: data ?? error });
  return data;
}

async function round(explode) {
  motis.client.setConfig({ baseUrl: process.argv[2], querySerializer: { array: { explode, style: 'form' } } });
  const lists = { transitModes: ['REGIONAL_RAIL', 'COACH', 'BUS', 'TRAM'], language: ['fr', 'en'] };

  await call('health', 'HealthResponse', {});
  await call('initial', 'initial', {});
  await call('geocode', 'Match[]', { query: { text, language: ['fr'], mode: ['TRANSIT'], type: ['STOP', 'PLACE'] } });
  await call('reverseGeocode', 'Match[]', { query: { place: point } });
  await call('levels', 'number[]', { query: box });
  await call('rentals', 'rentals', { query: {} });
  await call('rentals', 'rentals', { query: { ...box, withProviders: false } });
  await call('stops', 'Place[]', { query: { ...box } });
  await call('stops', 'Place[]', { query: { ...box, grouped: true, modes: ['REGIONAL_RAIL', 'COACH'] } });
  await call('trips', 'TripSegment[]', { query: { ...box, zoom: 12, startTime: time, endTime: soon } });
  await call('stopInfo', 'stop', { query: { stopId: from } });
  await call('stoptimes', 'stoptimes', { query: { stopId: from, time, n: 20, fetchStops: true, mode: lists.transitModes } });
  await call('stoptimes', 'stoptimes', { query: { stopId: to, time, n: 20, arriveBy: true, direction: 'LATER' } });
  await call('stoptimes', 'stoptimes', { query: { center: point, radius: 500, time, window: 3600 } });

  const answer = await call('plan', 'plan', {
    query: { fromPlace: from, toPlace: to, time, numLegAlternatives: 3, joinInterlinedLegs: false, withFares: true, ...lists },
  });
  await call('plan', 'plan', { query: { fromPlace: `${point},0`, toPlace: to, time, pageCursor: answer.nextPageCursor } });
  await call('plan', 'plan', { query: { fromPlace: from, toPlace: to, time: soon, arriveBy: true, maxTransfers: 3 } });
  await call('planPost', 'plan', {
    query: { fromPlace: point, toPlace: to, time },
    body: { fromOffsets: [{ stopId: from, duration: 240 }] },
  });
  for (const itinerary of answer.itineraries.slice(0, 2)) {
    await call('refreshItinerary', 'Itinerary', { query: { itineraryId: itinerary.id, numLegAlternatives: 1 } });
    const legs = itinerary.legs.map((leg) => ({
      displayName: leg.displayName ?? '', tripId: leg.tripId ?? '', mode: leg.mode, scheduled: leg.scheduled,
      fromId: leg.from.stopId ?? '', fromLat: leg.from.lat, fromLon: leg.from.lon,
      toId: leg.to.stopId ?? '', toLat: leg.to.lat, toLon: leg.to.lon,
      schedStart: Date.parse(leg.scheduledStartTime) / 1000, schedEnd: Date.parse(leg.scheduledEndTime) / 1000,
    }));
    await call('refreshItineraryPost', 'Itinerary', { query: {}, body: { id: { legs } } });
    for (const leg of itinerary.legs) {
      if (leg.tripId) await call('trip', 'Itinerary', { query: { tripId: leg.tripId } });
    }
  }
  await call('plan', 'Error', { query: { fromPlace: 'nowhere', toPlace: to } });
}

await round(true);
await round(false);
const schemas = Object.fromEntries(
  Object.entries(motis)
    .filter(([name]) => name.endsWith('Schema'))
    .map(([name, schema]) => [name.slice(0, -'Schema'.length), schema]),
);
process.stdout.write(JSON.stringify({ schemas, calls }));
