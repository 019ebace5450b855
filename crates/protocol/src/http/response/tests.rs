use super::*;

/// Heads, body bytes and ends, read in pieces of `step` bytes; then the end of the connection.
/// Each byte is in one piece.
fn read(wire: &[u8], step: usize) -> Result<(Vec<ResponseHead>, Vec<u8>, usize), ResponseError> {
    let mut reader = ResponseReader::default();
    let (mut heads, mut body, mut ends, mut others) = (Vec::new(), Vec::new(), 0, 0);
    for mut input in wire.chunks(step) {
        while let Some(piece) = reader.next(&mut input)? {
            match piece {
                Piece::HeadPart(bytes) | Piece::Framing(bytes) => others += bytes,
                Piece::Head(head, bytes) => {
                    heads.push(head);
                    others += bytes;
                }
                Piece::Data(data) => body.extend_from_slice(data),
                Piece::End => ends += 1,
            }
        }
    }
    assert_eq!(others + body.len(), wire.len());
    ends += usize::from(reader.finish() == Ok(true));
    Ok((heads, body, ends))
}

#[test]
fn bodies_end_where_the_standard_says() {
    let cases: [(&[u8], &[u8], usize); 9] = [
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\nX: a\r\n  b\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\nContent-Length: 9\r\n\r\nHTTP/1.1 102 P\r\n\r\n\
           HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n\
           02;a=\"b\"\r\nhi\r\n0\r\nX: y\r\nZ: \r\n\r\n", b"hi", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: x-odd\r\nContent-Length: 1\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhiHTTP/1.1 204 No\r\n\r\n", b"hi", 2),
        (b"HTTP/1.1 200 OK\r\ncontent-length:0\r\n\r\n", b"", 1),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b"", 1),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", b"hi", 1),
        (b"HTTP/1.0 200 OK\r\n\r\nhi", b"hi", 1),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x", 1),
    ];
    for (wire, body, ends) in cases {
        for step in [1, 5, 1000] {
            let (_, got, got_ends) = read(wire, step).unwrap();
            assert_eq!((got.as_slice(), got_ends), (body, ends), "{}", wire.escape_ascii());
        }
    }
}

#[test]
fn heads_that_cannot_be_understood_are_refused() {
    let endless = [b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'x'; 2 * HEAD_LIMIT]].concat();
    for step in [1000, 1 << 20] {
        assert!(matches!(read(&endless, step), Err(ResponseError::Head(HeadError::TooLong))));
    }
    let length = b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n";
    assert!(matches!(read(length, 9), Err(ResponseError::Head(HeadError::Length))));
    let chunk = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz";
    assert!(matches!(read(chunk, 9), Err(ResponseError::Chunk(_))));
}

#[test]
fn a_connection_that_ends_within_a_response_is_told() {
    for wire in [&b"HTTP/1.1 2"[..], b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nh"] {
        let (mut reader, mut input) = (ResponseReader::default(), wire);
        while reader.next(&mut input).unwrap().is_some() {}
        assert_eq!(reader.finish(), Err(CutShort));
        assert_eq!(reader.finish(), Ok(false), "a new connection begins anew");
    }
}
