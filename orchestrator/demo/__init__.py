"""The demonstration: a legacy CQMS with its dirt, an application that uses it, a server to run on."""
