/** Every test has an IndexedDB; Dexie looks for it when it is first imported. */
import 'fake-indexeddb/auto'
