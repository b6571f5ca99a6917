/* SPDX-License-Identifier: MIT */
/* Keys of the simulated hosts: fixed, so that a seed repeats a run. They are
 * used nowhere else and protect nothing. */
#include "test/sim/simkeys.h"

const char *const simkeys[SIMKEYS_NUM] = {
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgZP5HvsqqPYCIPxvL\n"
	"ZmlueXVd4IhEODuAImmozH1Tc2GhRANCAARqzgcHJZTe3Yq/T+uUXYoxzIcvmOyC\n"
	"wpEj9kiKxKze0zNGRT/x9jUmbVQg3pgovVqQN0eQkbxuPbH4wp14xjcq\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgA0vmiBSbeKZFAJNi\n"
	"BCfHPUq8XbUlqtOf/xdi9jeNQBihRANCAAS8SbogBNTTXX211dUm0k89S2BdfZ9S\n"
	"W1gxzsCJoGXioM17GYKDAIdXNiPcjPzWKDDAz3KXH9IyI795BSfXOXlt\n"
	"-----END PRIVATE KEY-----\n",
	"-----BEGIN PRIVATE KEY-----\n"
	"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgX1dPkzaTeHdlegWv\n"
	"D4QV9CLT/N1AzCiblzUbH+tQeFihRANCAARaMLGoks3ZoJcmXG+3wXds0Zjnef2U\n"
	"0Tt4vRoIulCRfy5RW4JZSJzB3+pKaQBgFxw3Zztut3ODOgxJ3BqEj8Pp\n"
	"-----END PRIVATE KEY-----\n",
};
