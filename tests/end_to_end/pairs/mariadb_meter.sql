== first
-- rows: select id, hex(serial), hex(kind), hex(mark) from device order by id; select * from reading order by 1, 2
create table device (id binary(4) not null primary key, serial varbinary(8) not null, kind binary(2), mark varbinary(4) default 'x', unique key by_serial (serial), key by_kind (kind, serial));
create table reading (device binary(4) not null, n int not null, v double, primary key (device, n), constraint of_device foreign key (device) references device (id));
insert into device values ('aaaa', 's1', 'a', 'x'), ('bbbb', 's2', 'bb', ''), ('cccc', '', null, null);
insert into reading values ('aaaa', 1, 1.5), ('bbbb', 1, null);
== second
-- arrives: select id, hex(serial), hex(kind), hex(mark) from device order by id; select device, n, v from reading order by 1, 2
create table device (id binary(4) not null primary key, serial binary(8) not null, kind binary(6), mark binary(5) default 'y', unique key by_serial (serial), key by_kind (kind, serial));
create table reading (device binary(4) not null, n bigint not null, v float, primary key (device, n), constraint of_device foreign key (device) references device (id) on delete cascade);
insert into device values ('aaaa', 's1', 'a', 'x'), ('bbbb', 's2', 'bb', ''), ('cccc', '', null, null);
insert into reading values ('aaaa', 1, 1.5), ('bbbb', 1, null);
