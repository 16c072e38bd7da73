"""The SDK: what desk, command line and third parties call. Names are worked on here, and never leave."""
