package main

// Protobuf's wire format, as much of it as xDS needs: no generated code, nothing copied.

// field is one field of a message: varint is set for wire type 0, bytes for wire type 2.
type field struct {
	number int
	varint uint64
	bytes  []byte
}

// each calls visit for every field of a message, in order, until the bytes end or make no sense.
func each(message []byte, visit func(field)) {
	for len(message) > 0 {
		key, n := varint(message)
		if n == 0 {
			return
		}
		message = message[n:]
		read := field{number: int(key >> 3)}
		switch key & 7 {
		case 0:
			read.varint, n = varint(message)
			if n == 0 {
				return
			}
			message = message[n:]
		case 1:
			message = message[min(8, len(message)):]
		case 2:
			size, n := varint(message)
			if n == 0 || uint64(len(message)-n) < size {
				return
			}
			read.bytes = message[n : n+int(size)]
			message = message[n+int(size):]
		case 5:
			message = message[min(4, len(message)):]
		default:
			return
		}
		visit(read)
	}
}

// at returns what stands at a path of field numbers, the first wherever there are several; nil: nothing.
func at(message []byte, path ...int) []byte {
	for _, number := range path {
		var found []byte
		each(message, func(f field) {
			if f.number == number && found == nil {
				found = f.bytes
			}
		})
		message = found
	}
	return message
}

// number returns a varint field's value, or 0.
func number(message []byte, wanted int) (value uint64) {
	each(message, func(f field) {
		if f.number == wanted {
			value = f.varint
		}
	})
	return value
}

func varint(raw []byte) (value uint64, size int) {
	for i := 0; i < len(raw) && i < 10; i++ {
		value |= uint64(raw[i]&0x7f) << (7 * i)
		if raw[i] < 0x80 {
			return value, i + 1
		}
	}
	return 0, 0
}

func appendVarint(to []byte, value uint64) []byte {
	for value >= 0x80 {
		to = append(to, byte(value)|0x80)
		value >>= 7
	}
	return append(to, byte(value))
}

func appendBytes(to []byte, number int, value []byte) []byte {
	to = appendVarint(to, uint64(number)<<3|2)
	to = appendVarint(to, uint64(len(value)))
	return append(to, value...)
}

func appendString(to []byte, number int, value string) []byte {
	return appendBytes(to, number, []byte(value))
}
