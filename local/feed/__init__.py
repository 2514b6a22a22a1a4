"""From a person's file to the platform: read rows, make events of them, put them on the stream or post them."""
