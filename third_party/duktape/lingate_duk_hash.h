/* The hash of a string, for the string table and the properties of objects: keyed, so that nobody can choose strings that
 * collide, and of all bytes. After wyhash by Wang Yi (public domain): 64 by 64 bits are multiplied, and both halves of the
 * product folded into one. Key: of the process, from the system. Included by duktape.c alone (see strhash.patch).
 */
#if !defined(LINGATE_DUK_HASH_H_INCLUDED)
#define LINGATE_DUK_HASH_H_INCLUDED

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static uint64_t lingate_duk_hash_key[3];

__attribute__((constructor)) static void lingate_duk_draw_hash_key(void) {
	if (getrandom(lingate_duk_hash_key, sizeof(lingate_duk_hash_key), 0) != (ssize_t) sizeof(lingate_duk_hash_key)) {
		abort();
	}
}

static inline uint64_t lingate_duk_fold(uint64_t a, uint64_t b) {
	const unsigned __int128 product = (unsigned __int128) a * b;
	return (uint64_t) product ^ (uint64_t) (product >> 64);
}

static inline uint64_t lingate_duk_read(const unsigned char *at, size_t size) {
	uint64_t word = 0;
	memcpy(&word, at, size);
	return word;
}

static inline uint32_t lingate_duk_hash(const unsigned char *bytes, size_t size) {
	const uint64_t *const key = lingate_duk_hash_key;
	const size_t length = size;
	uint64_t hash = key[0];
	uint64_t first = 0;
	uint64_t last = 0;
	for (; size > 16; bytes += 16, size -= 16) {
		hash = lingate_duk_fold(lingate_duk_read(bytes, 8) ^ key[1], lingate_duk_read(bytes + 8, 8) ^ hash);
	}
	if (size >= 8) { /* the two may overlap */
		first = lingate_duk_read(bytes, 8);
		last = lingate_duk_read(bytes + size - 8, 8);
	} else if (size >= 4) {
		first = lingate_duk_read(bytes, 4);
		last = lingate_duk_read(bytes + size - 4, 4);
	} else if (size > 0) {
		first = (uint64_t) bytes[0] << 16 | (uint64_t) bytes[size >> 1] << 8 | bytes[size - 1];
	}
	hash = lingate_duk_fold(first ^ key[1], last ^ hash);
	hash = lingate_duk_fold(hash ^ key[2], (uint64_t) length ^ key[1]);
	return (uint32_t) (hash ^ hash >> 32);
}

#endif /* LINGATE_DUK_HASH_H_INCLUDED */
