== first
-- rows: select * from ord order by 1, 2; select * from ordline order by 1, 2, 3
create table ord (shop int not null, no int not null, total decimal(10,2), primary key (shop, no));
create table ordline (shop int not null, no int not null, pos int not null, sku varchar(20), primary key (shop, no, pos), constraint ol_o foreign key (shop, no) references ord (shop, no) on delete cascade);
insert into ord values (1,1,10),(1,2,20),(2,1,5);
insert into ordline values (1,1,1,'a'),(1,1,2,'b'),(2,1,1,'c');
== second
-- rows: select shop, no, total from ord order by 1, 2; select shop, no, pos, sku from ordline order by 1, 2, 3
-- arrives: select shop, no, total from ord order by 1, 2; select shop, no, pos, sku from ordline order by 1, 2, 3
create table ord (id bigint not null auto_increment, shop int not null, no int not null, total decimal(12,2) not null default 0, primary key (id), unique key shop_no (shop, no));
create table ordline (id bigint not null auto_increment, shop int not null, no int not null, pos smallint not null, sku varchar(20), primary key (id), unique key line (shop, no, pos), constraint ol_o foreign key (shop, no) references ord (shop, no) on delete cascade);
insert into ord (shop,no,total) values (1,1,10),(1,2,20),(2,1,5);
insert into ordline (shop,no,pos,sku) values (1,1,1,'a'),(1,1,2,'b'),(2,1,1,'c');
== first again
create table ord (shop int not null, no int not null, total decimal(10,2), primary key (shop, no));
create table ordline (shop int not null, no int not null, pos int not null, sku varchar(20), primary key (shop, no, pos), constraint ol_o foreign key (shop, no) references ord (shop, no) on delete cascade);
insert into ord values (1,1,10),(1,2,20),(2,1,5);
insert into ordline values (1,1,1,'a'),(1,1,2,'b'),(2,1,1,'c');
